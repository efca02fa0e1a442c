import CoreProtocol
import Foundation
import HPKI
import HTTPTypes
import HummingbirdTesting
import Testing
import Web

@Suite struct ConsolePageTests {
    @Test(arguments: hostileTexts)
    func `a page shows what a record holds as text`(text: String) async throws {
        let evidence = Array("{\"x\":\"</pre><script>alert(2)</script>\"}".utf8)
        try await ConsoleClient.run(ConsoleAnswers(text: text, evidence: evidence)) { browser, _ in
            for uri in consolePages {
                let response = try await browser.get(uri)
                #expect(response.status == .ok, "\(uri)")
                let tags = Tags(of: response.page)
                #expect(tags.faults.isEmpty, "\(uri): \(tags.faults)")
                for attribute in tags.attributes { #expect(!attribute.hasPrefix("on"), "\(uri) has \(attribute)") }
                #expect(tags.names.subtracting(Tags.ours).isEmpty, "\(uri): \(tags.names.subtracting(Tags.ours))")
                #expect(!response.page.contains("\u{202E}"))
            }
        }
    }

    @Test func `characters that steer the eye are shown by their number`() async throws {
        try await ConsoleClient.run(ConsoleAnswers(text: "a\u{202E}b\u{0}c\u{200D}d")) { browser, _ in
            let page = try await browser.get("/console/records/1234").page
            #expect(page.contains("a⟨U+202E⟩b⟨U+0000⟩c⟨U+200D⟩d"))
        }
    }

    @Test func `what a proof is over stands in the page as it is, seen or not`() async throws {
        let evidence = Array("{\"x\":\"a\u{202E}b\u{1F600}é<\"}".utf8)
        try await ConsoleClient.run(ConsoleAnswers(evidence: evidence)) { browser, _ in
            let page = try await browser.get("/console/records/1234").page
            #expect(page.contains("a\\u202eb\\ud83d\\ude00\\u00e9&lt;"))
        }
    }

    @Test(arguments: ["ja", "en"])
    func `every page is whole in its language`(language: String) async throws {
        try await ConsoleClient.run(ConsoleAnswers(evidence: Array("{}".utf8))) { browser, _ in
            browser.language = language
            for uri in consolePages + ["/console/records/9", "/console/nothing", "/console/search?kind=x"] {
                let page = try await browser.get(uri).page
                #expect(page.contains("<html lang=\"\(language)\">"))
                #expect(!page.contains("{{") && !page.contains("}}"), "\(uri)")
                // A key that has no text stands for itself.
                for key in Set(PageWords.console.tables.values.flatMap(\.keys)) where key.contains(where: \.isUppercase)
                {
                    #expect(!page.contains(">\(key)<") && !page.contains("\"\(key)\""), "\(uri) shows the key \(key)")
                }
            }
        }
    }

    @Test func `the languages have the same words, and the templates ask for no others`() {
        let tables = PageWords.console.tables
        let keys = tables.mapValues { Set($0.keys) }
        #expect(tables.count == 2)
        #expect(keys["ja"] == keys["en"])
        #expect(PageWords.console.ofTemplates.subtracting(keys["en"] ?? []).isEmpty)
        for table in tables.values { #expect(table.values.allSatisfy { !$0.isEmpty }) }
        // The same places to fill in.
        for (key, text) in tables["en"] ?? [:] {
            let places = text.matches(of: /\{[a-z]+\}/).map { String($0.output) }.sorted()
            let others = (tables["ja"]?[key] ?? "").matches(of: /\{[a-z]+\}/).map { String($0.output) }.sorted()
            #expect(places == others, "\(key)")
        }
    }

    @Test func `every code of the log has a word`() {
        let words = Set((PageWords.console.tables["ja"] ?? [:]).keys)
        var codes = Failure.Kind.allCases.map { "failure.\($0.rawValue)" }
        codes += RecordKind.allCases.map { "kind.\($0.name)" } + RecordOutcome.allCases.map { "outcome.\($0.name)" }
        codes += DocumentForm.allCases.map { "form.\($0.rawValue)" }
        codes += ReviewerRole.allCases.map { "role.\($0.rawValue)" }
        codes += CredentialState.allCases.map { "state.\($0.rawValue)" }
        codes += RevocationReason.allCases.map { "reason.\($0.name)" }
        codes += AnomalyRule.allCases.flatMap { ["anomaly.\($0.rawValue)", "anomalyWords.\($0.rawValue)"] }
        #expect(codes.filter { !words.contains($0) }.isEmpty)
    }

    @Test func `times are Japan's, with UTC for machines`() async throws {
        try await ConsoleClient.run { browser, _ in
            let page = try await browser.get("/console/records/1234").page
            #expect(page.contains("<time datetime=\"2026-11-26T02:02:03.000Z\" title=\"2026-11-26T02:02:03.000Z\">"))
            #expect(page.contains(">2026-11-26 11:02:03</time>"))
        }
    }

    @Test func `the overview's table has the numbers of its chart`() async throws {
        try await ConsoleClient.run { browser, _ in
            let page = try await browser.get("/console?period=month").page
            #expect(page.components(separatedBy: "<td class=\"num\">40</td><td class=\"num\">2</td>").count == 31)
            #expect(page.contains(">1,200</a></dd>"))
            #expect(page.contains("role=\"img\" aria-label="))
        }
    }

    @Test func `every page has its landmarks, one heading, and labels for its inputs`() async throws {
        try await ConsoleClient.run { browser, _ in
            for uri in consolePages {
                let page = try await browser.get(uri).page
                #expect(page.components(separatedBy: "<h1").count == 2, "\(uri)")
                #expect(page.contains("<main id=\"main\"") && page.contains("class=\"skip\" href=\"#main\""))
                let inputs = page.matches(of: /<(?:input|select|textarea)[^>]* id="([^"]+)"/).map { String($0.1) }
                for input in inputs { #expect(page.contains("<label for=\"\(input)\">"), "\(uri): \(input)") }
            }
        }
    }

    @Test func `an answer's headers fence the page in`() async throws {
        try await ConsoleClient.run { browser, _ in
            let style = try await browser.get("/console").page.firstMatch(of: /href="(\/console\/assets\/[^"]+css)"/)
            let asset = String(try #require(style).1)
            for uri in consolePages + ["/console/sign-in", "/console/nothing", asset] {
                let response = try await browser.get(uri)
                func field(_ name: String) -> String { HTTPField.Name(name).flatMap { response.headers[$0] } ?? "" }
                let policy = field("Content-Security-Policy")
                #expect(policy.hasPrefix("default-src 'none'; style-src 'self'; img-src 'self';"), "\(uri)")
                #expect(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"))
                #expect(policy.contains("base-uri 'none'") && !policy.contains("unsafe") && !policy.contains("http"))
                #expect(policy.contains("script-src 'self'") == uri.hasPrefix("/console/records/"), "\(uri)")
                #expect(field("Cache-Control") == "no-store" && field("X-Content-Type-Options") == "nosniff")
                #expect(field("Referrer-Policy") == "same-origin" && field("X-Frame-Options") == "DENY")
                #expect(field("Strict-Transport-Security").hasPrefix("max-age="))
            }
        }
    }

    @Test func `no page has style or script of its own, or loads from elsewhere`() async throws {
        try await ConsoleClient.run(ConsoleAnswers(evidence: Array("{}".utf8))) { browser, _ in
            for uri in consolePages {
                let page = try await browser.get(uri).page
                #expect(!page.contains("<style") && !page.contains(" style=") && !page.contains("javascript:"))
                for script in page.matches(of: /<script[^>]*>/) {
                    #expect(String(script.output).hasPrefix("<script src=\"/console/assets/proof-"))
                }
                #expect(page.matches(of: /(?:src|href|action)="(?!\/console|#)/).isEmpty, "\(uri)")
            }
        }
    }
}

/// A page's tags as a browser would find them.
struct Tags {
    static let ours: Set<String> = [
        "html", "head", "meta", "title", "link", "body", "a", "header", "div", "span", "small", "nav", "ul", "li",
        "form",
        "input", "button", "main", "h1", "h2", "p", "section", "dl", "dt", "dd", "svg", "rect", "defs", "pattern",
        "path",
        "g", "line", "text", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "time",
        "bdi",
        "footer", "script", "label", "select", "option", "textarea", "code", "strong", "noscript", "pre", "ol",
        "search",
    ]

    var names: Set<String> = []
    var attributes: Set<String> = []
    var faults: [String] = []

    init(of page: String) {
        var bytes = Array(page.utf8)[...]
        while let byte = bytes.popFirst() {
            guard byte == UInt8(ascii: "<"), let next = bytes.first else { continue }
            let isName = next == UInt8(ascii: "/") || next == UInt8(ascii: "!") || Self.isLetter(next)
            guard isName else {
                faults.append("a bare < before \(next)")
                continue
            }
            var tag: [UInt8] = []
            var quote: UInt8?
            while let byte = bytes.popFirst() {
                if let open = quote {
                    if byte == open { quote = nil }
                } else if byte == UInt8(ascii: ">") {
                    break
                } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                    quote = byte
                } else {
                    tag.append(byte)
                }
            }
            let words = String(decoding: tag, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("!") else { continue }
            names.insert(first.drop { $0 == "/" }.filter { $0 != "/" }.lowercased())
            for word in words.dropFirst() { attributes.insert(String(word.prefix { $0 != "=" }).lowercased()) }
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

import Foundation
import HPKI
import HTTPTypes
import Hummingbird
import Testing
import Web

@Suite struct PlatformPageTests {
    @Test(arguments: hostileTexts)
    func `names of people and systems are shown as text`(text: String) async throws {
        for (name, response) in try await PlatformPages(text: text).all() {
            let page = try await response.text()
            let tags = Tags(of: page)
            #expect(tags.faults.isEmpty, "\(name): \(tags.faults)")
            for attribute in tags.attributes { #expect(!attribute.hasPrefix("on"), "\(name) has \(attribute)") }
            #expect(tags.names.subtracting(Tags.ours).isEmpty, "\(name): \(tags.names.subtracting(Tags.ours))")
            #expect(!page.contains("\u{202E}"))
        }
    }

    @Test(arguments: ["ja", "en"])
    func `every page is whole in its language`(language: String) async throws {
        let keys = Set(PageWords.platform.tables.values.flatMap(\.keys))
        for (name, response) in try await PlatformPages(language: language).all() {
            let page = try await response.text()
            #expect(page.contains("<html lang=\"\(language)\">"), "\(name)")
            #expect(!page.contains("{{") && !page.contains("}}") && !page.contains("{user}"), "\(name)")
            for key in keys where key.contains(where: \.isUppercase) || key.contains(".") {
                #expect(!page.contains(">\(key)<") && !page.contains("\"\(key)\""), "\(name) shows the key \(key)")
            }
        }
    }

    @Test func `the languages have the same words, and the templates ask for no others`() {
        let tables = PageWords.platform.tables
        let keys = tables.mapValues { Set($0.keys) }
        #expect(tables.count == 2 && keys["ja"]?.isEmpty == false)
        #expect(keys["ja"] == keys["en"])
        #expect(PageWords.platform.ofTemplates.subtracting(keys["en"] ?? []).isEmpty)
        for table in tables.values { #expect(table.values.allSatisfy { !$0.isEmpty }) }
        for (key, text) in tables["en"] ?? [:] {
            let places = text.matches(of: /\{[a-z]+\}/).map { String($0.output) }.sorted()
            let others = (tables["ja"]?[key] ?? "").matches(of: /\{[a-z]+\}/).map { String($0.output) }.sorted()
            #expect(places == others, "\(key)")
        }
    }

    @Test func `every page has its landmarks, one heading, labels, and a language switch`() async throws {
        for (name, response) in try await PlatformPages().all() {
            let page = try await response.text()
            #expect(page.components(separatedBy: "<h1").count == 2, "\(name)")
            #expect(page.contains("<main id=\"main\"") && page.contains("class=\"skip\" href=\"#main\""), "\(name)")
            #expect(page.contains("<header") && page.contains("<footer"), "\(name)")
            #expect(page.contains("href=\"/login?ceremony=1&amp;lang=en\" lang=\"en\""), "\(name)")
            for input in page.matches(of: /<input id="([^"]+)"/) {
                #expect(page.contains("<label for=\"\(input.1)\">"), "\(name)")
            }
            let ids = page.matches(of: /\sid="([^"]+)"/).map { String($0.1) }
            #expect(Set(ids).count == ids.count, "\(name) has an id twice")
            for reference in page.matches(of: /aria-(?:labelledby|describedby)="([^"]+)"/) {
                #expect(ids.contains(String(reference.1)), "\(name): \(reference.1)")
            }
            #expect(!page.contains("<style") && !page.contains(" style=") && !page.contains("<script"), "\(name)")
        }
    }

    @Test func `headers fence the page in, and let a form lead to where it must`() async throws {
        let name = try #require(HTTPField.Name("Content-Security-Policy"))
        for (page, response) in try await PlatformPages().all() {
            let policy = response.headers[name] ?? ""
            #expect(policy.hasPrefix("default-src 'none'; style-src 'self'; img-src 'self'; script-src 'none';"))
            #expect(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"))
            guard page == "login" || page.hasSuffix("error") else {
                #expect(policy.contains("form-action 'self';"), "\(page)")
                continue
            }
            #expect(policy.contains("form-action 'self' https://rp.example https://hpki.localhost:8447;"), "\(page)")
        }
    }

    @Test(arguments: [
        ("https://rp.example/cb", "https://rp.example"), ("HTTPS://RP.example:8443", "https://rp.example:8443"),
        ("http://127.0.0.1:3000/cb", "http://127.0.0.1:3000"), ("http://[::1]:3000/cb", "http:"),
        ("com.example.app:/cb", "com.example.app:"),
    ])
    func `a redirect address stands in the policy by its origin or scheme`(address: String, source: String) {
        #expect(PageFence.source(address) == source)
    }

    @Test(arguments: [
        "", "rp.example", "https:rp.example", "https:///", "https://rp.example;script-src *", "https://a b",
        "https://*",
        "javascript:alert(1)", "data:text/html,x", "https://rp.example:80x", "https://user@rp.example", "1x:/", ":x",
    ])
    func `what is no address adds nothing to the policy`(address: String) {
        let source = PageFence.source(address)
        #expect(source == nil, "\(source ?? "")")
    }

    @Test(arguments: [
        ("F4", "HPKI証明書のユーザが無効となっています。", "JPKI証明書のユーザが無効となっています。"),
        (
            "F11", "ユーザ情報の取得ができませんでした。",
            "ユーザ情報の取得ができませんでした。マイナンバーカードをご確認の上再度認証をお願いします。"
        ),
        ("F18", "HPKI証明書が失効しています。", "JPKI証明書が失効しています。"),
        ("F19", "HPKI認証でエラーが発生しました。", "JPKI認証でエラーが発生しました。"),
        ("F20", "マイナンバーカードに紐づくユーザが存在しません。", "マイナンバーカードに紐づくユーザが存在しません。"),
        ("F17", "1分以内", "1分以内"),
    ])
    func `F4 F11 F17 to F20: a card has its own message`(code: String, hpki: String, jpki: String) async throws {
        let pages = PlatformPages()
        for (card, message) in [(CardKind.hpki, hpki), (.jpki, jpki)] {
            let response = try PlatformPage().error(pages.error(code, card: card), pages.visit("/login"))
            let page = try await response.text()
            let heading = page.components(separatedBy: "<h1>")[1].components(separatedBy: "</h1>")[0]
            #expect(heading.contains(message))
            let other = card == .hpki ? "JPKI" : "HPKI"
            #expect(!heading.contains(other))
            #expect(page.contains("<p class=\"other\" lang=\"en\">"))
        }
    }

    @Test func `an error page has code, time in Japan, reference number, cause, next step and ways on`() async throws {
        let pages = PlatformPages(text: "調剤システム")
        let page = try await PlatformPage().error(pages.error("F18"), pages.visit("/login")).text()
        #expect(page.contains("<code class=\"error-code\">F18</code>"))
        #expect(page.contains(">2026-11-26 11:02:03</time> JST"))
        #expect(page.contains("00112233445566778899aabbccddeeff"))
        #expect(page.contains("認証局に、HPKIカードの再発行を依頼") && !page.contains("市区町村"))
        #expect(page.contains("考えられる原因") && page.contains("次にすること"))
        #expect(page.contains("href=\"/help/F18\"") && page.contains(">「調剤システム」に戻る</button>"))
        #expect(page.contains(">もう一度試す</a>") && page.contains(">別の方法でログイン</button>"))
    }

    @Test func `E18: the page says who is logged in, and offers the switch`() async throws {
        let pages = PlatformPages(text: "100001-jpa")
        let response = try PlatformPage().differentUser(pages.differentUser, pages.visit("/login"))
        let page = try await response.text()
        #expect(response.status == .conflict)
        #expect(
            page.contains(
                "すでにこのセッションで異なるユーザー&#39;100001-jpa&#39;として認証されています。まずログアウトしてください。"))
        #expect(page.contains(">ログアウトして切り替える</button>"))
    }

    @Test func `the login offers the methods that it is given, and the phone only then`() async throws {
        let pages = PlatformPages()
        var view = LoginView(relyingSystem: "system")
        let two = try await PlatformPage().login(view, pages.visit("/login")).text()
        #expect(two.contains("name=\"method\" value=\"hpki-card\"") && two.contains("value=\"jpki-card\""))
        #expect(!two.contains("value=\"passkey\""))
        view.choices = [.phone]
        let one = try await PlatformPage().login(view, pages.visit("/login")).text()
        #expect(one.contains("value=\"passkey\"") && !one.contains("value=\"hpki-card\""))
    }

    @Test func `on a card's host the help is the issuer's, in the language of the visit`() async throws {
        for (name, response) in try await PlatformPages(language: "en", issuer: "https://localhost:8443").all() {
            let page = try await response.text()
            #expect(page.contains("href=\"https://localhost:8443/help?lang=en\""), "\(name)")
            #expect(!page.contains("href=\"/help"), "\(name)")
        }
    }

    @Test func `the language comes from the address, the cookie, the relying system, the browser`() {
        func language(_ path: String, cookie: String? = nil, locales: String? = nil, accept: String = "ja") -> String {
            var headers: HTTPFields = [.acceptLanguage: accept]
            if let cookie { headers[.cookie] = "__Host-shirushi-language=\(cookie)" }
            let head = HTTPRequest(
                method: .get, scheme: "https", authority: "localhost", path: path, headerFields: headers)
            let request = Request(head: head, body: .init(buffer: .init()))
            return PageVisit(request, "id", uiLocales: locales).language.rawValue
        }
        #expect(language("/login?lang=en", cookie: "ja", locales: "ja") == "en")
        #expect(language("/login", cookie: "en", locales: "ja") == "en")
        #expect(language("/login", locales: "fr-FR en-GB ja") == "en")
        #expect(language("/login", locales: "fr", accept: "en;q=0.9, ja;q=0.8") == "en")
        #expect(language("/login", accept: "de") == "ja")
    }

    @Test func `a page that was posted has no links that would get it again`() async throws {
        let pages = PlatformPages()
        let page = try await PlatformPage().error(pages.error("F6"), pages.visit("/login", method: .post)).text()
        #expect(!page.contains("class=\"languages\""))
    }
}

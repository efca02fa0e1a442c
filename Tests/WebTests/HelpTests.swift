import Foundation
import HPKI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing
import Web

@Suite struct HelpTests {
    static let ids = (1...25).map { "E\($0)" } + (1...24).map { "F\($0)" }

    @Test func `both languages have E1 to E25 and F1 to F24, and no part is empty`() {
        for catalogue in [HelpCatalogue.japanese, .english] {
            #expect(catalogue.faults.isEmpty, "\(catalogue.faults)")
            #expect(catalogue.rows.map(\.id) == Self.ids)
            for entry in catalogue.rows + catalogue.own {
                #expect(!entry.makers.isEmpty && !entry.messages.isEmpty, "\(entry.id)")
                #expect(!entry.causes.isEmpty && !entry.steps.isEmpty, "\(entry.id)")
                for card in CardKind.allCases {
                    #expect(entry.causes.contains { $0.card == nil || $0.card == card }, "\(entry.id) \(card)")
                    #expect(entry.steps.contains { $0.card == nil || $0.card == card }, "\(entry.id) \(card)")
                }
            }
        }
        for (japanese, english) in zip(HelpCatalogue.japanese.rows, HelpCatalogue.english.rows) {
            #expect(japanese.place == english.place && japanese.makers == english.makers, "\(japanese.id)")
            #expect(japanese.place == (japanese.id.hasPrefix("E") ? .phone : .pc), "\(japanese.id)")
            #expect(japanese.shown.count == english.shown.count, "\(japanese.id)")
            #expect((japanese.ours == nil) == (english.ours == nil), "\(japanese.id)")
        }
        #expect(HelpCatalogue.japanese.own.map(\.id) == HelpCatalogue.english.own.map(\.id))
    }

    @Test(arguments: ["F1", "F2", "F21"])
    func `F1, F2, F21: the help says that a page of ours takes the browser error's place`(id: String) throws {
        let entry = try #require(HelpCatalogue.japanese[id])
        #expect(entry.makers == [.browser])
        #expect(entry.shown.map(\.text) == ["カードの証明書を受け取れませんでした。"])
        #expect(entry.ours?.contains("画面") == true)
    }

    @Test(arguments: [
        ("f18", "F18"), ("Ｆ１８", "F18"), ("失効 証明書", "F18"), ("revoked HPKI certificate", "F18"),
        ("webauthn IS not", "E2"), ("セキュリティキー 登録結果", "E3"), ("せきゅりてぃーきー 登録結果", "E3"),
        ("ｾｷｭﾘﾃｨｰｷｰ 登録結果", "E3"), ("ま\u{3044}なん\u{306F}\u{3099}ーかーと\u{3099} 紐づくユーザ", "F20"),
        ("EW000J0200", "F15"), ("ＪＰＫＩＨＲＥＧＥＲＲ００３", "F14"), ("o-INVALID_request_uri", "O-invalid_request_uri"),
    ])
    func `a search finds a message whatever its width, case and kana`(words: String, id: String) {
        for catalogue in [HelpCatalogue.japanese, .english] {
            // Also by the message in the other language: a caller reads out what stands on the screen.
            #expect(catalogue.search(words).map(\.id).contains(id), "\(words)")
        }
    }

    @Test func `a search is bounded, and finds everything for nothing and nothing for nonsense`() {
        let catalogue = HelpCatalogue.japanese
        #expect(catalogue.search("").map(\.id) == Self.ids)
        #expect(catalogue.search("　 ").map(\.id) == Self.ids)
        #expect(catalogue.search("zzzz").isEmpty)
        #expect(catalogue.search("失効 zzzz").isEmpty)
        #expect(catalogue.search("f1").map(\.id) == ["F1"])
        #expect(catalogue.search(String(repeating: "あ", count: 1_000_000)).isEmpty)
        // What is beyond the limit is not looked at.
        #expect(!catalogue.search("失効" + String(repeating: " ", count: HelpCatalogue.searchLimit) + "zzzz").isEmpty)
    }

    @Test(arguments: ["ja", "en"])
    func `the help lists every message, and each has a page`(language: String) async throws {
        try await Self.run { client in
            let list = try await client.execute(uri: "/help?lang=\(language)", method: .get)
            #expect(list.status == .ok && list.page.contains("<html lang=\"\(language)\">"))
            #expect(list.headers[.cacheControl] == "no-store")
            let cookie = list.headers[.setCookie] ?? ""
            #expect(cookie.hasPrefix("__Host-shirushi-language=\(language); Path=/; Secure; HttpOnly; SameSite=Lax"))
            let own = HelpCatalogue.english.own.map(\.id)
            for id in Self.ids { #expect(list.page.contains("href=\"/help/\(id)\""), "\(id)") }
            for id in Self.ids + own {
                let page = try await client.execute(
                    uri: "/help/\(id.lowercased())", method: .get, headers: [.acceptLanguage: language])
                #expect(page.status == .ok && page.page.contains(">\(id)</code>"), "\(id)")
                #expect(page.page.contains("<html lang=\"\(language)\">"))
            }
        }
    }

    @Test func `the search's form finds by words, and shows them as text`() async throws {
        try await Self.run { client in
            let found = try await client.execute(uri: "/help?q=%EF%BC%A6%EF%BC%91%EF%BC%98", method: .get).page
            #expect(found.contains("href=\"/help/F18\"") && !found.contains("href=\"/help/F17\""))
            #expect(found.contains("1 件"))
            let none = try await client.execute(uri: "/help?q=%22%3E%3Cb%3Ezz", method: .get).page
            #expect(none.contains("value=\"&quot;&gt;&lt;b&gt;zz\"") && none.contains("見つかりませんでした"))
        }
    }

    @Test(arguments: [("ja", "お探しのページはありません。"), ("en", "There is no such page.")])
    func `an id that there is not gets a page in the visitor's language`(language: String, text: String) async throws {
        try await Self.run { client in
            for uri in ["/help/F99", "/help/%22%3Cx%3E", "/help/F1/x"] {
                let response = try await client.execute(
                    uri: uri, method: .get, headers: [.acceptLanguage: language])
                #expect(response.status == .notFound)
                #expect(response.page.contains(text) && response.page.contains("<html lang=\"\(language)\">"))
                #expect(response.page.contains(response.headers[try #require(HTTPField.Name("X-Request-Id"))] ?? "-"))
            }
        }
    }

    @Test func `E20: a method that is not allowed gets the known page with time, source and number`() async throws {
        try await Self.run { client in
            let response = try await client.execute(uri: "/help", method: .post)
            #expect(response.status == .methodNotAllowed && response.headers[.allow] == "GET")
            #expect(response.page.contains("405 Method Not Allowed"))
            #expect(response.page.contains("許可されていないメソッドを使用しようとしました"))
            #expect(response.page.contains("発生日時") && response.page.contains("アクセス元"))
            #expect(response.page.contains(">2026-11-26 11:02:03</time> JST"))
        }
    }

    @Test func `a field that the help does not know is refused with a page`() async throws {
        try await Self.run { client in
            for uri in ["/help?x=1", "/help?q=1&q=2", "/help/F1?q=1", "/help?q=%FF"] {
                let response = try await client.execute(uri: uri, method: .get)
                #expect(response.status == .badRequest && response.page.contains("S-malformed-request"), "\(uri)")
            }
        }
    }

    @Test(arguments: [WebSettings.RouteGroup.platform, .cardHPKI, .cardJPKI])
    func `each host of the platform serves the pages' files`(group: WebSettings.RouteGroup) async throws {
        let style = try await PlatformPages().all()[0].response.text().firstMatch(of: /href="([^"]+\.css)"/)
        let path = String(try #require(style).1)
        try await Self.run([group]) { client in
            let response = try await client.execute(uri: path, method: .get)
            #expect(response.status == .ok && response.headers[.contentType] == "text/css; charset=utf-8")
            #expect(response.page.contains(".choice") && response.page.contains("prefers-color-scheme: dark"))
            #expect(try await client.execute(uri: "/platform/assets/x.css", method: .get).status == .notFound)
        }
    }

    private static func run(
        _ groups: Set<WebSettings.RouteGroup> = [.platform],
        _ body: @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        let web = try WebServer.before(.knowing, clock: .fixed(PlatformPages.time))
        try await Application(router: web.router(groups: groups)).test(.router) { try await body($0) }
    }
}

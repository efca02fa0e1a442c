import CoreProtocol
import Foundation
import HPKI
import HTTPTypes
import HummingbirdTesting
import Testing
import Web

@Suite struct ConsoleSearchTests {
    @Test func `every filter of the address reaches core and stands in the form again`() async throws {
        let query = """
            from=2026-11-01&to=2026-11-26&kind=refusal&outcome=unknown&document=dispensing&failure=denied&holder=doctor-1\
            &key=doctor-1-a&client=clinic&facility=1310000001&text=00ff&before=500
            """
        try await ConsoleClient.run { browser, core in
            let page = try await browser.get("/console/search?" + query).page
            var filter = AuditFilter()
            filter.from = Instant(rfc3339: "2026-10-31T15:00:00Z")
            filter.to = Instant(rfc3339: "2026-11-26T15:00:00Z")
            filter.kinds = [.refusal]
            filter.outcome = .unknown
            filter.form = .dispensing
            filter.failure = .denied
            filter.holder = HolderID("doctor-1")
            filter.credential = CredentialID("doctor-1-a")
            filter.client = ClientID("clinic")
            filter.facility = "1310000001"
            filter.text = "00ff"
            guard case .review(let command)? = core.requests.last else { return #expect(Bool(false)) }
            #expect(command.question == .search(filter, before: 500, limit: 50))
            #expect(page.contains("type=\"date\" value=\"2026-11-26\""))
            #expect(page.contains("<option value=\"refusal\" selected>refusal</option>"))
            #expect(page.contains("value=\"1310000001\"") && page.contains("<details open>"))
            #expect(page.contains("&amp;kind=refusal&amp;") && page.contains("&amp;before=7\" rel=\"next\""))
        }
    }

    @Test(arguments: [
        "kind=x", "from=yesterday", "holder=a%20b", "kind=intent&kind=outcome", "unknown=1", "holder=%ff", "text=%00",
        "before=-1", "text=" + String(repeating: "a", count: 5000), String(repeating: "a=&", count: 40),
    ])
    func `an address that makes no sense is refused with a way on`(query: String) async throws {
        try await ConsoleClient.run { browser, core in
            let asked = core.requests.count
            let response = try await browser.get("/console/search?" + query)
            #expect(response.status == .badRequest && response.page.contains("clear the filters"))
            #expect(core.requests.count == asked)
        }
    }

    @Test func `CSV has no formulas`() async throws {
        let answers = ConsoleAnswers(text: "=cmd|' /C calc'!A0,\"x\"\n@y")
        try await ConsoleClient.run(ends(answers)) { browser, _ in
            let form = try await browser.get("/console/search").page.formToken
            let response = try await browser.post(
                "/console/export", [("form", form), ("format", "csv"), ("kind", "outcome")])
            #expect(response.headers[.contentType] == "text/csv; charset=utf-8; header=present")
            #expect(response.headers[.contentDisposition] == "attachment; filename=\"shirushi-records.csv\"")
            let text = response.page
            #expect(text.hasPrefix("\u{FEFF}\"sequence\",\"time\","))
            #expect(text.contains(",\"'=cmd|' /C calc'!A0,\"\"x\"\"\n@y\","))
            #expect(
                text.contains(
                    "\"1234\",\"2026-11-26T02:02:03.000Z\",\"outcome\",\"signed\",\"dispensing\",\"doctor-1\","))
        }
    }

    @Test(arguments: ["=1", "+1", "-1", "@x", " =1", "\t1", "\u{FEFF}=1", "＝1", "＋1", "－1", "＠1", "\u{3000}=1"])
    func `a spreadsheet is told that this is text`(text: String) async throws {
        try await ConsoleClient.run(ends(ConsoleAnswers(text: text))) { browser, _ in
            let form = try await browser.get("/console/search").page.formToken
            let csv = try await browser.post("/console/export", [("form", form), ("format", "csv")]).page
            #expect(csv.contains(",\"'\(text)\","))
        }
    }

    @Test func `JSON Lines are objects, one a line`() async throws {
        try await ConsoleClient.run(ends(ConsoleAnswers(text: "a\"\\\n\u{1}改行"))) { browser, core in
            let form = try await browser.get("/console/search?holder=doctor-1").page.formToken
            let response = try await browser.post(
                "/console/export", [("form", form), ("format", "jsonl"), ("holder", "doctor-1")])
            let lines = response.page.split(separator: "\n")
            #expect(lines.count == 2)
            for line in lines {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                #expect(object?["kind"] is String && object?["sequence"] is Int)
            }
            guard case .review(let command)? = core.requests.last, case .search(let filter, nil, 100) = command.question
            else { return #expect(Bool(false)) }
            #expect(filter.holder == HolderID("doctor-1"))
        }
    }

    @Test func `an export goes on until there are no more, or five thousand`() async throws {
        let answers = ConsoleAnswers()
        let row = answers.row
        let core = FakeCore { request in
            guard case .review(let command) = request, case .search(_, let before, _) = command.question else {
                return answers.answer(request)
            }
            let next = (before ?? 1_000_000) - 100
            return .review(
                .page(
                    RecordPage(
                        rows: Array(repeating: row, count: 100), next: next, count: 1_000_000, isCountExact: false,
                        index: IndexFacts(indexed: 1, size: 1, isRebuilding: false))))
        }
        try await ConsoleClient.run(core: core) { browser, _ in
            let form = try await browser.get("/console/search").page.formToken
            let asked = core.requests.count
            let csv = try await browser.post("/console/export", [("form", form), ("format", "csv")]).page
            #expect(csv.components(separatedBy: "\r\n").count == 5002)
            #expect(core.requests.count == asked + 50)
        }
    }

    @Test func `what core cannot do becomes a page with a way on`() async throws {
        let answers = ConsoleAnswers()
        let kinds: [(Failure.Kind, Int, String)] = [
            (.coreUnavailable, 503, "Open it again"), (.timedOut, 503, "Narrow the time"),
            (.auditUnavailable, 503, "Tell the operator"), (.notFound, 404, "no such page"),
            (.denied, 403, "Your role does not see this"), (.unexpected, 500, "request id below"),
        ]
        for (kind, status, words) in kinds {
            let core = FakeCore { request in
                guard case .review(let command) = request, command.question.kind == .me else {
                    return .failed(Failure(kind, "Why <b>."))
                }
                return answers.reply(command.question)
            }
            try await ConsoleClient.run(core: core) { browser, _ in
                let response = try await browser.get("/console/policies")
                #expect(response.status.code == status && response.page.contains(words), "\(kind)")
                #expect(response.headers[.contentType] == "text/html; charset=utf-8")
                #expect(!response.page.contains("Why <b>") && response.page.contains("/console"))
            }
        }
    }

    @Test func `pages are for the console; the API keeps its problems`() async throws {
        try await ConsoleClient.run { browser, _ in
            let page = try await browser.get("/console/nothing")
            #expect(page.status == .notFound && page.headers[.contentType] == "text/html; charset=utf-8")
            let wrong = try await browser.post("/console/search", [])
            #expect(wrong.status == .methodNotAllowed && wrong.headers[.allow] == "GET")
            _ = try await browser.get("/v1/nothing").problem(.notFound)
            _ = try await browser.get("/consoles").problem(.notFound)
        }
    }

    @Test func `the language is chosen by the address, then the cookie, then the browser`() async throws {
        try await ConsoleClient.run { browser, _ in
            browser.language = "fr;q=1, ja-JP;q=0.8, en;q=0.9"
            #expect(try await browser.get("/console").page.contains("<html lang=\"en\">"))
            browser.language = "de"
            #expect(try await browser.get("/console").page.contains("<html lang=\"ja\">"))
            let page = try await browser.get("/console/search?kind=intent&lang=en").page
            #expect(page.contains("<html lang=\"en\">"))
            #expect(page.contains("href=\"/console/search?kind=intent&amp;lang=ja\" lang=\"ja\" hreflang=\"ja\">日本語"))
            #expect(browser.cookies["__Host-shirushi-language"] == "en")
            #expect(try await browser.get("/console").page.contains("<html lang=\"en\">"))
        }
    }

    /// The same answers, with a first page that is the last.
    private func ends(_ answers: ConsoleAnswers) -> ConsoleAnswers {
        var answers = answers
        answers.isLastPage = true
        return answers
    }
}

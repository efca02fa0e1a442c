import HPKI
import Hummingbird
import HummingbirdTesting
import Testing
import Web

@Suite struct FailureTableTests {
    @Test func `every kind has a type of its own, in kebab case, and a status of an error`() {
        let rows = Failure.Kind.allCases.map { FailureTable.row($0) }
        #expect(Set(rows.map(\.type)).count == rows.count)
        for row in rows {
            #expect((400...503).contains(row.status))
            #expect(row.slug.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D })
            #expect(!row.title.isEmpty && !row.next.isEmpty && !row.operatorAction.isEmpty)
        }
    }

    @Test func `the slug is the kind's name spelt with hyphens`() {
        for kind in Failure.Kind.allCases {
            let letters = FailureTable.row(kind).slug.filter { $0 != "-" }
            #expect(letters == kind.rawValue.lowercased())
        }
    }

    @Test func `whatever asks to come again says when`() {
        for kind in Failure.Kind.allCases where [429, 503].contains(FailureTable.row(kind).status) {
            #expect(FailureTable.row(kind).retryAfter != nil, "\(kind)")
        }
    }

    @Test func `the document lists every kind once`() {
        let lines = FailureTable.markdown.split(separator: "\n")
        #expect(lines.count == Failure.Kind.allCases.count + 2)
        for kind in Failure.Kind.allCases {
            #expect(lines.filter { $0.contains("| `\(FailureTable.row(kind).slug)` |") }.count == 1)
        }
    }

    @Test(arguments: Failure.Kind.allCases)
    func `what core answers reaches the caller as its problem`(kind: Failure.Kind) async throws {
        let core = FakeCore.failing(
            Failure(kind, "A \"quoted\" reason.", rule: "rule-1", reasons: ["a", "b"], cause: "secret cause")
        )
        let log = LogMemory()
        let web = try WebServer.before(core, log: log)
        try await web.allRoutes.test(.router) { client in
            try await client.execute(
                uri: "/v1/signatures/00112233445566778899aabbccddeeff", method: .get, headers: bearer()
            ) { response in
                let problem = try response.problem(kind)
                #expect(problem.detail == "A \"quoted\" reason.")
                #expect(problem.rule == "rule-1")
                #expect(problem.reasons == (kind == .dpopNonceNeeded ? nil : ["a", "b"]))
                #expect(!String(buffer: response.body).contains("secret cause"))
                let row = FailureTable.row(kind)
                #expect(response.headers[.retryAfter] == row.retryAfter.map { String($0) })
                let challenge = response.headers[values: .wwwAuthenticate].first
                #expect((challenge != nil) == (row.status == 401))
                if let error = row.oauthError, row.status == 401 {
                    let isDPoP = [.invalidDPoPProof, .dpopNonceNeeded].contains(kind)
                    let rest = "realm=\"shirushi\", error=\"\(error)\", error_description=\"A 'quoted' reason.\""
                    #expect(
                        challenge == (isDPoP ? "DPoP \(rest), algs=\"ES256 RS256 PS256\"" : "Bearer \(rest)"))
                }
            }
        }
        #expect(log.text.contains("cause=secret cause"))
        #expect(log.text.contains("failure=\(FailureTable.row(kind).slug)"))
        #expect(!log.text.contains("quoted"))
    }
}

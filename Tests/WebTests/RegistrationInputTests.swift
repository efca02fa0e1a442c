import CoreProtocol
import HPKI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing
import Web

/// Input that is refused before core is asked.
@Suite struct RegistrationInputTests {
    private static let names = RegistrationSample.names

    @Test(arguments: [
        "holders/a%20b", "holders/%zz", "holders/%4", "holders/a%0Ab", "holders/%ff", "holders/%E9%88%B4",
        "holders/" + String(repeating: "a", count: 65), "credentials/a%20b", "credentials/a%00/request",
        "imports/a%09b", "imports/%7F/rows",
    ])
    func `an identifier that is none is refused`(path: String) async throws {
        try await refuse(.get, path, says: "1 to 64 printable ASCII")
    }

    @Test(arguments: [
        "holders?limit=0", "holders?limit=201", "holders?limit=-1", "holders?limit=+1", "holders?limit=1.0",
        "holders?limit=", "holders?limit=99999999999999999999", "holders?limit=1&limit=2", "holders?limit",
        "holders?after=", "holders?after=a+b", "holders?after=%zz", "holders?before=a", "holders?%ff=a",
        "credentials?limit=201", "credentials?holder=a%20b", "imports/a/rows?from=4294967296",
        "imports/a/rows?limit=501", "imports/a/rows?after=a",
    ])
    func `a query with anything else than its parameters is refused`(path: String) async throws {
        try await refuse(.get, path, says: "parameter")
    }

    @Test(arguments: [
        ("{\(names),\"age\":\"5\"}", "\"age\" is unknown"), ("{\(names),\"id\":\"doctor/7\"}", "\"id\" is unknown"),
        ("{}", "registerNumbers is missing"), ("[]", "one object"), ("", "one object"),
        ("{\(names.replacing("Suzuki", with: "\\n"))}", "romajiName"),
        ("{\(names.replacing("鈴木花子", with: ""))}", "japaneseName"),
        ("{\(names.replacing("鈴木花子", with: String(repeating: "鈴", count: 67)))}", "japaneseName"),
        ("{\(names.replacing("[\"Medical Doctor\"]", with: "\"Medical Doctor\""))}", "roles"),
        ("{\(names.replacing("[\"Medical Doctor\"]", with: "[1]"))}", "roles"),
        ("{\(names.replacing("Medical Doctor", with: ""))}", "roles"),
        ("{\(names.replacing("\"123456\"", with: "123456"))}", "registerNumbers[0].number must be a string"),
        ("{\(names.replacing("\"number\"", with: "\"numero\""))}", "registerNumbers[0].numero"),
        ("{\(names.replacing("\"number\"", with: "\"register\""))}", "a name comes twice"),
        ("{\(names.replacing(",\"number\":\"123456\"", with: ""))}", "registerNumbers[0].number is missing"),
        ("{\(names.replacing("[{", with: "[[],{"))}", "registerNumbers must be an array of objects"),
    ])
    func `a holder with another field, or without one, is refused`(body: String, words: String) async throws {
        try await refuse(.put, "holders/a", body, says: words)
    }

    @Test(arguments: [
        ("PUT", "", "{}", "holder is missing"), ("PUT", "", "{\"holder\":\"a b\"}", "The field holder must be 1 to 64"),
        ("PUT", "", "{\"holder\":\"a\",\"keyType\":\"rsa-1024\"}", "rsa-2048, rsa-3072"),
        ("PUT", "", "{\"holder\":\"a\",\"keyType\":null}", "not null"),
        ("PUT", "", "{\"holder\":\"a\",\"replaces\":{}}", "not an object"),
        ("POST", "/certificate", "{}", "certificate is missing"),
        ("POST", "/certificate", "{\"certificate\":\"\"}", "empty"),
        ("POST", "/certificate", "{\"certificate\":\"MAA=\",\"takesOverAt\":\"tomorrow\"}", "RFC 3339"),
        ("POST", "/suspend", "{\"reason\":\"removeFromCRL\"}", "certificateHold"),
        ("POST", "/revoke", "{}", "reason is missing"),
        ("POST", "/revoke", "{\"reason\":\"certificateHold\"}", "suspends"),
        ("POST", "/revoke", "{\"reason\":6}", "not a number"),
        ("POST", "/resume", "{\"reason\":\"superseded\"}", "there are none"),
        ("POST", "/destroy", "[]", "one object"),
    ])
    func `an order or a change of state with a wrong field is refused`(
        method: String, rest: String, body: String, words: String
    ) async throws {
        try await refuse(try #require(HTTPRequest.Method(method)), "credentials/a" + rest, body, says: words)
    }

    @Test(arguments: [
        ("{\"rows\":[]}", "rows is empty"), ("{\"rows\":[\"a\"]}", "an array of objects"), ("{}", "rows is missing"),
        ("{\"rows\":[{}]}", "rows[0].holder is missing"),
        ("{\"rows\":[{\"holder\":\"a\"}]}", "rows[0].holder must be an object"),
        ("{\"rows\":[{\"holder\":{\(names)}}]}", "rows[0].holder.id is missing"),
        ("{\"rows\":[{\"holder\":{\"id\":\"a\",\(names)},\"keyType\":\"p-256\"}]}", "rows[0].credential is missing"),
        ("{\"rows\":[{\"holder\":{\"id\":\"a\",\(names)},\"credential\":\"\"}]}", "The field rows[0].credential"),
        ("{\"rows\":[{\"holder\":{\"id\":\"a\",\(names)},\"holders\":\"\"}]}", "rows[0].holders"),
    ])
    func `an import with a row at fault is refused as a whole, naming the place`(
        body: String, words: String
    ) async throws {
        try await refuse(.put, "imports/a", body, says: words)
    }

    @Test func `an import takes 1000 rows and no more`() async throws {
        let row = "{\"holder\":{\"id\":\"a\",\(Self.names)}}"
        @Sendable func body(_ count: Int) -> String {
            "{\"rows\":[\(repeatElement(row, count: count).joined(separator: ","))]}"
        }
        try await refuse(.put, "imports/a", body(1001), says: "more than 1000")
        try await refuse(.put, "imports/a", body(2000), says: "too long")
        let core = FakeCore { _ in .registration(.importJob(RegistrationSample.job)) }
        try await WebServer.before(core).registration([1]).test(.router) { client in
            try await client.execute(
                uri: "/ra/v1/imports/a", method: .put, headers: [.contentType: "application/json"],
                body: ByteBuffer(string: body(1000))
            ) { #expect($0.status == .accepted) }
        }
        guard case .registration(let command)? = core.requests.first, case .startImport(_, let rows) = command.act
        else { throw WrongRequest() }
        #expect(rows.count == 1000)
    }

    @Test func `a certificate or a list that is too long or no Base64 is refused`() async throws {
        let long = Base64.encode([UInt8](repeating: 0, count: 16_385))
        try await refuse(.post, "credentials/a/certificate", "{\"certificate\":\"\(long)\"}", .tooLarge)
        let longer = Base64.encode([UInt8](repeating: 0, count: 1_000_001))
        try await refuse(.post, "revocation-lists", "{\"list\":\"\(longer)\"}", .tooLarge)
        try await refuse(.post, "revocation-lists", "{\"list\":\"MAA\"}", .invalidBase64)
    }

    @Test func `another type of body is refused where there is a body`() async throws {
        for (method, path, body) in [
            (HTTPRequest.Method.put, "holders/a", "{}"), (.post, "credentials/a/suspend", "{}"),
            (.post, "credentials/a/revoke", ""), (.post, "holders/a/enable", "reason=x"),
        ] {
            try await refuse(method, path, body, .unsupportedMediaType, type: "application/x-www-form-urlencoded")
        }
    }

    @Test func `too many header fields are refused`() async throws {
        try await WebServer.before(.knowing).registration([1]).test(.router) { client in
            var headers = HTTPFields()
            for number in 0..<100 { headers[try #require(HTTPField.Name("X-Field-\(number)"))] = "x" }
            try await client.execute(uri: "/ra/v1/holders", method: .get, headers: headers) {
                _ = try $0.problem(.tooManyHeaders)
            }
        }
    }

    private func refuse(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, _ kind: Failure.Kind = .malformedRequest,
        type: String = "application/json", says words: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let core = FakeCore.knowing
        try await WebServer.before(core).registration([1]).test(.router) { client in
            try await client.execute(
                uri: "/ra/v1/\(path)", method: method, headers: body == nil ? [:] : [.contentType: type],
                body: body.map { ByteBuffer(string: $0) }
            ) { response in
                let problem = try response.problem(kind, sourceLocation: sourceLocation)
                #expect(
                    words.isEmpty || problem.detail.contains(words), "\(problem.detail)", sourceLocation: sourceLocation
                )
            }
        }
        #expect(core.requests.isEmpty, sourceLocation: sourceLocation)
    }
}

@Suite struct NestedJSONTests {
    @Test func `objects and arrays are read with what is in them`() throws {
        let body = "{\"a\":{\"b\":[{\"c\":\"d\"},\"e\",1]},\"f\":[],\"g\":[\"h\"]}"
        let d = JSONValue.string(Array("d".utf8)[...])
        let e = JSONValue.string(Array("e".utf8)[...])
        #expect(
            try JSONReader.object(Array(body.utf8)) == [
                "a": .object(["b": .array([.object(["c": d]), e, .other("a number")])]), "f": .strings([]),
                "g": .strings([Array("h".utf8)[...]]),
            ]
        )
    }

    @Test func `an object inside has the bounds of the one outside`() {
        let members = (0..<33).map { "\"\($0)\":1" }.joined(separator: ",")
        for inner in [
            "{\"a\":1,\"a\":2}", "{\(members)}", "{\"\(String(repeating: "n", count: 65))\":1}", "[[[[[[[[1]]]]]]]]",
            "[\(repeatElement("1", count: 1025).joined(separator: ","))]",
        ] {
            #expect(throws: Failure.self) { try JSONReader.object(Array("{\"x\":[\(inner)]}".utf8)) }
        }
    }

    @Test func `all values together have a bound`() throws {
        func body(_ rows: Int) -> [UInt8] {
            Array("{\"x\":[\(repeatElement("[1,2,3]", count: rows).joined(separator: ","))]}".utf8)
        }
        #expect(try JSONReader.object(body(2), values: 9).count == 1)
        #expect(throws: Failure.self) { try JSONReader.object(body(2), values: 8) }
        #expect(throws: Failure.self) { try JSONReader.object(body(1024)) }
    }
}

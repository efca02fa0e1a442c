import HPKI
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing
import Web

@Suite struct BodyTests {
    private func post(
        _ body: String, to path: String = "/v1/prescriptions", headers: HTTPFields = jsonBearer,
        limits: WebSettings.Limits = .init(), core: FakeCore = .knowing, _ kind: Failure.Kind, says: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await WebServer.before(core, limits: limits).allRoutes.test(.router) { client in
            try await client.execute(uri: path, method: .post, headers: headers, body: ByteBuffer(string: body)) {
                let problem = try $0.problem(kind, sourceLocation: sourceLocation)
                if let says { #expect(problem.detail.contains(says), "\(problem)", sourceLocation: sourceLocation) }
            }
        }
        // A caller with a token is known perhaps, so the refusal is told to core; nothing else is.
        let isTold = kind != .missingToken && kind != .invalidToken
        #expect(core.requests.count == (isTold ? 1 : 0), sourceLocation: sourceLocation)
        #expect(core.refusals == (isTold ? [kind] : []), sourceLocation: sourceLocation)
    }

    @Test func `what core says of the caller comes before the fault of the body`() async throws {
        let core = FakeCore.failing(Failure(.expiredToken, "The token has expired."))
        try await WebServer.before(core).allRoutes.test(.router) { client in
            try await client.execute(
                uri: "/v1/dispensings", method: .post, headers: jsonBearer, body: ByteBuffer(string: "no JSON")
            ) { _ = try $0.problem(.expiredToken) }
        }
        #expect(core.refusals == [.malformedRequest])
    }

    @Test func `what is inside the Base64 is judged by signing, for both routes`() async throws {
        try await post("{\"csv\":\"WFgK\"}", .invalidCSV)
        try await post("{\"document\":\"WFgK\",\"credentialID\":\"k-1\"}", .invalidXML)
        try await post(
            "{\"prescription\":\"WFgK\",\"csv\":\"WFgK\",\"acknowledge\":[\"a\"]}", to: "/v1/dispensings", .invalidXML
        )
    }

    @Test func `an unknown field is refused by its name`() async throws {
        try await post("{\"csv\":\"U0ox\",\"patient\":\"x\"}", .malformedRequest, says: "\"patient\"")
        try await post(
            "{\"csv\":\"U0ox\",\"document\":\"U0ox\",\"prescription\":\"U0ox\"}", to: "/v1/dispensings",
            .malformedRequest, says: "\"document\""
        )
        try await post("{\"\\u0000\\u65e5\":1}", .malformedRequest, says: "\"??\"")
    }

    @Test func `one of csv and document is needed, and not both`() async throws {
        try await post("{}", .malformedRequest, says: "either")
        try await post("{\"csv\":\"U0ox\",\"document\":\"U0ox\"}", .malformedRequest, says: "either")
        try await post("{\"csv\":\"U0ox\"}", to: "/v1/dispensings", .malformedRequest, says: "prescription and csv")
    }

    @Test(arguments: ["1", "null", "true", "{}", "[]", "[\"U0ox\"]", "[1]"])
    func `a field of another type is refused by its name`(value: String) async throws {
        try await post("{\"csv\":\(value)}", .malformedRequest, says: "The field csv must be a string")
    }

    @Test(arguments: ["U0o", "U0ox\\n", "U0-x", "日本", "U0ox=", " U0ox"])
    func `what is not Base64 is its own problem`(text: String) async throws {
        try await post("{\"csv\":\"\(text)\"}", .invalidBase64, says: "csv")
    }

    @Test func `an empty field is refused`() async throws {
        try await post("{\"csv\":\"\"}", .malformedRequest, says: "empty")
    }

    @Test(arguments: [
        "", " ", "[]", "\"x\"", "{", "{\"csv\"", "{\"csv\":", "{\"csv\":\"U0ox\"", "{\"csv\":\"U0ox\",}",
        "{\"csv\":\"U0ox\"} x", "{csv:1}", "{\"csv\":01}", "{\"csv\":tru}", "{\"csv\":\"\\x\"}",
        "{\"csv\":\"\\ud800\"}",
        "{\"csv\":\"a\u{0}\"}", "{\"csv\":\"U0ox\",\"csv\":\"U0ox\"}", "{\"csv\":-}", "{\"csv\":1.}", "{\"csv\":1e}",
    ])
    func `what is not one JSON object is refused with the place of the fault`(body: String) async throws {
        try await post(body, .malformedRequest, says: "at byte")
    }

    @Test func `deep nesting and many members are refused`() async throws {
        let deep = String(repeating: "[", count: 100_000)
        try await post("{\"csv\":\(deep)", .malformedRequest, says: "too deep")
        let objects = String(repeating: "{\"a\":", count: 100_000)
        try await post("{\"csv\":\(objects)", .malformedRequest, says: "too deep")
        let many = (0..<100).map { "\"f\($0)\":1" }.joined(separator: ",")
        try await post("{\(many)}", .malformedRequest, says: "too many members")
    }

    @Test(arguments: [
        "", "text/plain", "application/xml", "application/json2", "application/json; charset=shift_jis",
        "multipart/form-data; boundary=x",
    ])
    func `another content type is refused`(type: String) async throws {
        var headers = bearer()
        if !type.isEmpty { headers[.contentType] = type }
        try await post("{\"csv\":\"U0ox\"}", headers: headers, .unsupportedMediaType)
    }

    @Test func `a compressed body is refused`() async throws {
        var headers = jsonBearer
        headers[.contentEncoding] = "gzip"
        try await post("x", headers: headers, .unsupportedMediaType)
    }

    @Test(arguments: ["application/json", "Application/JSON", "application/json; charset=UTF-8"])
    func `JSON is taken however its type is spelt`(type: String) async throws {
        var headers = bearer()
        headers[.contentType] = type
        try await post("{}", headers: headers, .malformedRequest, says: "either")
    }

    @Test func `a body over the limit is refused, whether it says so or not`() async throws {
        var limits = WebSettings.Limits()
        limits.bodyBytes = 100_000
        try await post(String(repeating: "a", count: 100_001), limits: limits, .tooLarge)
        let web = try WebServer.before(.knowing, limits: limits)
        try await web.allRoutes.test(.router) { client in
            for (length, kind) in [
                ("99999999999999999999999", .tooLarge), ("-1", .malformedRequest), ("5", .malformedRequest),
            ] as [(String, Failure.Kind)] {
                var headers = jsonBearer
                headers[.contentLength] = length
                try await client.execute(uri: "/v1/prescriptions", method: .post, headers: headers) {
                    _ = try $0.problem(kind)
                }
            }
        }
    }

    @Test func `bodies held together have a budget, which is given back`() async throws {
        var limits = WebSettings.Limits()
        limits.bodyBytes = 400_000
        limits.bodyBudget = 100_000
        let web = try WebServer.before(.knowing, limits: limits)
        try await web.allRoutes.test(.router) { client in
            for _ in 0..<3 {
                try await client.execute(
                    uri: "/v1/prescriptions", method: .post, headers: jsonBearer,
                    body: ByteBuffer(repeating: 0x20, count: 200_000)
                ) { _ = try $0.problem(.overloaded) }
                try await client.execute(
                    uri: "/v1/prescriptions", method: .post, headers: jsonBearer,
                    body: ByteBuffer(repeating: 0x20, count: 150_000)
                ) { _ = try $0.problem(.malformedRequest) }
            }
        }
    }

    @Test func `sixty-five header fields are too many`() async throws {
        var headers = jsonBearer
        for number in 0..<100 { headers[try #require(HTTPField.Name("X-Field-\(number)"))] = "x" }
        try await post("{}", headers: headers, .tooManyHeaders)
    }

    @Test(arguments: ["Basic eA==", "Bearer", "Bearer ", "x"])
    func `another scheme is no token`(value: String) async throws {
        try await post("{}", headers: [.authorization: value, .contentType: "application/json"], .missingToken)
    }

    @Test func `a token that cannot be one is invalid`() async throws {
        for value in ["Bearer a b", "Bearer " + String(repeating: "a", count: 16_385), "Bearer é"] {
            try await post("{}", headers: [.authorization: value, .contentType: "application/json"], .invalidToken)
        }
        var headers = jsonBearer
        headers.append(HTTPField(name: .authorization, value: "Bearer x"))
        try await post("{}", headers: headers, .invalidToken, says: "several")
    }

    @Test func `an idempotency key must be 1 to 255 printable characters, once`() async throws {
        let name = try #require(HTTPField.Name("Idempotency-Key"))
        for value in ["", String(repeating: "k", count: 256), "é"] {
            var headers = jsonBearer
            headers[name] = value
            try await post("{}", headers: headers, .invalidIdempotencyKey)
        }
        var headers = jsonBearer
        headers[values: name] = ["a", "b"]
        try await post("{}", headers: headers, .invalidIdempotencyKey)
    }

    @Test func `a credential's name and acknowledgements are checked`() async throws {
        try await post("{\"csv\":\"U0ox\",\"credentialID\":\"a b\"}", .malformedRequest, says: "credentialID")
        let body = { (value: String) in "{\"csv\":\"U0ox\",\"prescription\":\"U0ox\",\"acknowledge\":\(value)}" }
        try await post(body("\"x\""), to: "/v1/dispensings", .malformedRequest, says: "acknowledge")
        try await post(body("[1]"), to: "/v1/dispensings", .malformedRequest, says: "acknowledge")
        let many = "[" + (0..<33).map { "\"\($0)\"" }.joined(separator: ",") + "]"
        try await post(body(many), to: "/v1/dispensings", .malformedRequest, says: "at most 32")
    }

    @Test func `an array of more than 1024 strings is refused`() throws {
        func body(_ count: Int) -> [UInt8] {
            Array("{\"x\":[\(Array(repeating: "\"\"", count: count).joined(separator: ","))]}".utf8)
        }
        let most = try JSONReader.object(body(1024))
        #expect(most.count == 1)
        #expect(throws: Failure.self) { try JSONReader.object(body(1025)) }
    }

    @Test func `no prefix or mutation of a body is more than a problem`() async throws {
        let body = Array("{\"csv\":\"U0ox\",\"credentialID\":\"\\u0041\\n\",\"x\":[1.5e3,{\"a\":null}]}".utf8)
        for length in 0..<body.count {
            #expect(throws: Failure.self) { try JSONReader.object(Array(body[..<length])) }
        }
        for index in body.indices {
            for value in [UInt8(0), 0x22, 0x5C, 0x7B, 0xFF] {
                var mutant = body
                mutant[index] = value
                _ = try? JSONReader.object(mutant)
            }
        }
        let fields = try JSONReader.object(body)
        #expect(fields["csv"] == .string(Array("U0ox".utf8)[...]))
        #expect(fields["credentialID"] == .string([0x41, 0x0A]))
        #expect(fields.count == 3)
    }
}

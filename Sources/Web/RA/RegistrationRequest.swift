internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird

/// A request of an authority: its path, query and body, read strictly.
struct RegistrationRequest {
    let request: Request
    let context: APIContext
    let limits: WebSettings.Limits
    let held: HeldBytes

    /// Throws `.tooManyHeaders`.
    func checkHeaders() throws(Failure) {
        guard request.headers.count <= limits.headerCount else {
            throw Failure(.tooManyHeaders, "The request has more than \(limits.headerCount) header fields.")
        }
    }

    // MARK: The path

    func holder() throws(Failure) -> HolderID { try part("holder", HolderID.init) }

    func credential() throws(Failure) -> CredentialID { try part("credential", CredentialID.init) }

    /// An import's name has the form of the other identifiers.
    func importName() throws(Failure) -> String { try part("import", CredentialID.init).description }

    private func part<ID>(_ name: String, _ make: (String) -> ID?) throws(Failure) -> ID {
        guard let text = context.parameters.get(name).flatMap({ PercentEncoding.decode($0[...], plus: "+") }),
            let id = make(text)
        else { throw Query.noIdentifier("The \(name) in the address") }
        return id
    }

    // MARK: The query

    /// The query's parameters; throws `.malformedRequest` for one that is not in `known`, comes twice or is no text.
    func query(known: [String]) throws(Failure) -> Query { try Query(request.uri.query, known: known) }

    // MARK: The body

    /// The fields of a body that must be there.
    func fields(_ known: [String], values: Int = JSONReader.usualValues) async throws(Failure) -> RequestFields {
        try request.requireJSON()
        return try RequestFields(try await request.collectBody(limits, held), known: known, values: values)
    }

    /// The fields of a body that may be left out.
    func optionalFields(_ known: [String]) async throws(Failure) -> RequestFields {
        let body = try await request.collectBody(limits, held)
        if body.isEmpty { return try RequestFields(Array("{}".utf8), known: known) }
        try request.requireJSON()
        return try RequestFields(body, known: known)
    }

    /// Whether the client asks for PKCS#10 as it is (RFC 5967) rather than in JSON.
    var takesPKCS10: Bool {
        request.headers[values: .accept].contains { field in
            field.lowercased().split(separator: ",").contains { range in
                let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
                return parts.first == "application/pkcs10"
                    && !parts.dropFirst().contains { $0 == "q=0" || $0.hasPrefix("q=0.000") }
            }
        }
    }
}

/// The parameters of a query (application/x-www-form-urlencoded).
struct Query {
    private var values: [String: String] = [:]

    init(_ text: String?, known: [String]) throws(Failure) {
        for pair in (text ?? "").split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = PercentEncoding.decode(parts[0], plus: " "), known.contains(name) else {
                let names = known.joined(separator: ", ")
                throw Failure(.malformedRequest, "The query may have the parameters \(names), each with its value.")
            }
            guard let value = PercentEncoding.decode(parts[1], plus: " ") else {
                throw Failure(.malformedRequest, "The parameter \(name) is not UTF-8 in percent-encoding.")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Failure(.malformedRequest, "The parameter \(name) comes twice.")
            }
        }
    }

    func identifier<ID>(_ name: String, _ make: (String) -> ID?) throws(Failure) -> ID? {
        guard let text = values[name] else { return nil }
        guard let id = make(text) else { throw Self.noIdentifier("The parameter \(name)") }
        return id
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(Failure) -> Int? {
        guard let text = values[name] else { return nil }
        guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = Int(text), range.contains(value)
        else {
            throw Failure(
                .malformedRequest,
                "The parameter \(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return value
    }

    /// A page's size: 100 unless the query says otherwise.
    func limit(atMost most: Int) throws(Failure) -> UInt16 {
        UInt16(clamping: try integer("limit", in: 1...most) ?? min(100, most))
    }

    static func noIdentifier(_ subject: String) -> Failure {
        Failure(.malformedRequest, "\(subject) must be 1 to 64 printable ASCII characters without white space.")
    }
}

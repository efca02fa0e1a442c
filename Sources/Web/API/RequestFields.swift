internal import HPKI

/// The members of a request's body, or of an object in it: every name known, every value of its type.
struct RequestFields {
    private let members: [String: JSONValue]
    /// What stands before a field's name in a failure, such as `rows[3].`.
    private let place: String

    /// Reads `body`; throws `.malformedRequest` for bytes that are not one JSON object and for a name not in `known`.
    init(_ body: [UInt8], known: [String], values: Int = JSONReader.usualValues) throws(Failure) {
        try self.init(try JSONReader.object(body, values: values), place: "", known: known)
    }

    private init(_ members: [String: JSONValue], place: String, known: [String]) throws(Failure) {
        self.members = members
        self.place = place
        if let stranger = members.keys.filter({ !known.contains($0) }).min() {
            let shown = String(stranger.unicodeScalars.map { $0.isASCII && $0.value >= 0x20 ? Character($0) : "?" })
            let names = known.isEmpty ? "there are none" : "the fields are \(known.joined(separator: ", "))"
            throw Failure(.malformedRequest, "The field \"\(place)\(shown)\" is unknown here; \(names).")
        }
    }

    /// Where `name` stands, for a failure's sentence.
    func path(_ name: String) -> String { place + name }

    func has(_ name: String) -> Bool { members[name] != nil }

    /// The text of an optional field.
    func text(_ name: String) throws(Failure) -> String? {
        guard let bytes = try string(name) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.malformedRequest, "The field \(place)\(name) is not UTF-8.")
        }
        return text
    }

    /// The text of a required field.
    func requiredText(_ name: String) throws(Failure) -> String {
        guard let text = try text(name) else { throw missing(name) }
        return text
    }

    /// An optional field that is one of the words of `Choice`.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _: Choice.Type
    ) throws(Failure) -> Choice? {
        guard let text = try text(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.malformedRequest, "The field \(place)\(name) must be one of \(words).")
        }
        return choice
    }

    /// The bytes of an optional field in Base64.
    func base64(_ name: String) throws(Failure) -> [UInt8]? {
        guard let bytes = try string(name) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self), let decoded = Base64.decode(text) else {
            throw Failure(
                .invalidBase64,
                "The field \(place)\(name) is not Base64 of the standard alphabet with padding and without line breaks."
            )
        }
        guard !decoded.isEmpty else { throw Failure(.malformedRequest, "The field \(place)\(name) is empty.") }
        return decoded
    }

    /// The bytes of a required field in Base64; throws `.tooLarge` for more than `limit`.
    func requiredBase64(_ name: String, atMost limit: Int) throws(Failure) -> [UInt8] {
        guard let bytes = try base64(name) else { throw missing(name) }
        guard bytes.count <= limit else {
            throw Failure(.tooLarge, "The field \(place)\(name) is longer than \(limit) bytes.")
        }
        return bytes
    }

    /// The texts of an optional field that is an array of strings; none when it is absent.
    func texts(_ name: String, atMost limit: Int, bytes byteLimit: Int) throws(Failure) -> [String] {
        guard let value = members[name] else { return [] }
        guard case .strings(let items) = value, items.count <= limit else {
            throw Failure(.malformedRequest, "The field \(place)\(name) must be an array of at most \(limit) strings.")
        }
        var texts: [String] = []
        for item in items {
            guard item.count <= byteLimit, let text = String(validating: item, as: UTF8.self) else {
                throw Failure(
                    .malformedRequest, "A string of the field \(place)\(name) is longer than \(byteLimit) bytes."
                )
            }
            texts.append(text)
        }
        return texts
    }

    /// A required field that is an object.
    func object(_ name: String, known: [String]) throws(Failure) -> RequestFields {
        guard let value = members[name] else { throw missing(name) }
        guard case .object(let inner) = value else {
            throw Failure(.malformedRequest, "The field \(place)\(name) must be an object.")
        }
        return try RequestFields(inner, place: "\(place)\(name).", known: known)
    }

    /// A required field that is an array of objects.
    func objects(_ name: String, atMost limit: Int, known: [String]) throws(Failure) -> [RequestFields] {
        let items: [JSONValue]
        switch members[name] {
        case nil: throw missing(name)
        case .array(let elements): items = elements
        case .strings([]): items = []
        default: throw Failure(.malformedRequest, "The field \(place)\(name) must be an array of objects.")
        }
        guard items.count <= limit else {
            throw Failure(.malformedRequest, "The field \(place)\(name) has more than \(limit) elements.")
        }
        var objects: [RequestFields] = []
        for (index, item) in items.enumerated() {
            guard case .object(let inner) = item else {
                throw Failure(.malformedRequest, "The field \(place)\(name) must be an array of objects.")
            }
            objects.append(try RequestFields(inner, place: "\(place)\(name)[\(index)].", known: known))
        }
        return objects
    }

    func missing(_ name: String) -> Failure { Failure(.malformedRequest, "The field \(place)\(name) is missing.") }

    private func string(_ name: String) throws(Failure) -> ArraySlice<UInt8>? {
        let kind: String
        switch members[name] {
        case nil: return nil
        case .string(let bytes): return bytes
        case .strings, .array: kind = "an array"
        case .object: kind = "an object"
        case .other(let name): kind = name
        }
        throw Failure(.malformedRequest, "The field \(place)\(name) must be a string, not \(kind).")
    }
}

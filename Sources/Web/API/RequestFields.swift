internal import HPKI

/// The members of a request's body: every name known, every value of its type.
struct RequestFields {
    private let members: [String: JSONValue]

    /// Reads `body`; throws `.malformedRequest` for bytes that are not one JSON object and for a name not in `known`.
    init(_ body: [UInt8], known: [String]) throws(Failure) {
        members = try JSONReader.object(body)
        if let stranger = members.keys.filter({ !known.contains($0) }).min() {
            let shown = String(stranger.unicodeScalars.map { $0.isASCII && $0.value >= 0x20 ? Character($0) : "?" })
            throw Failure(
                .malformedRequest,
                "The field \"\(shown)\" is unknown here; the fields are \(known.joined(separator: ", "))."
            )
        }
    }

    func has(_ name: String) -> Bool { members[name] != nil }

    /// The text of an optional field.
    func text(_ name: String) throws(Failure) -> String? {
        guard let bytes = try string(name) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.malformedRequest, "The field \(name) is not UTF-8.")
        }
        return text
    }

    /// The Base64 text of an optional field, for `Signing` to decode.
    func base64(_ name: String) throws(Failure) -> [UInt8]? {
        guard let bytes = try string(name) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self), let decoded = Base64.decode(text) else {
            throw Failure(
                .invalidBase64,
                "The field \(name) is not Base64 of the standard alphabet with padding and without line breaks."
            )
        }
        guard !decoded.isEmpty else { throw Failure(.malformedRequest, "The field \(name) is empty.") }
        return decoded
    }

    /// The texts of an optional field that is an array of strings; none when it is absent.
    func texts(_ name: String, atMost limit: Int, bytes byteLimit: Int) throws(Failure) -> [String] {
        guard let value = members[name] else { return [] }
        guard case .strings(let items) = value, items.count <= limit else {
            throw Failure(.malformedRequest, "The field \(name) must be an array of at most \(limit) strings.")
        }
        var texts: [String] = []
        for item in items {
            guard item.count <= byteLimit, let text = String(validating: item, as: UTF8.self) else {
                throw Failure(.malformedRequest, "A string of the field \(name) is longer than \(byteLimit) bytes.")
            }
            texts.append(text)
        }
        return texts
    }

    private func string(_ name: String) throws(Failure) -> ArraySlice<UInt8>? {
        switch members[name] {
        case nil: return nil
        case .string(let bytes): return bytes
        case .strings: throw Failure(.malformedRequest, "The field \(name) must be a string, not an array.")
        case .other(let kind): throw Failure(.malformedRequest, "The field \(name) must be a string, not \(kind).")
        }
    }
}

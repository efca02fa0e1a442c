/// Why `authorization_details` are refused; texts in it are of this program alone.
package enum AuthorizationDetailsError: Error, Sendable, Hashable, CustomStringConvertible {
    /// They are longer than may be asked with, or than a token carries.
    case tooLong
    /// An entry is of a type that nobody knows here.
    case unknownType
    /// They are not what their type prescribes: what is wrong.
    case malformed(String)

    package var description: String {
        switch self {
        case .tooLong: "authorization_details are longer than tokens carry"
        case .unknownType: "authorization_details have a type that is not offered"
        case .malformed(let fault): "authorization_details: \(fault)"
        }
    }
}

/// What a client asks leave for beyond scopes (RFC 9396): uses of a credential on digests that are named.
package struct AuthorizationDetails: Sendable, Hashable {
    /// The longest that may be asked with, in bytes.
    package static let byteLimit = 16_384
    /// The longest that a token carries, in bytes: it must stay one that fits into a header.
    package static let claimLimit = 8192
    private static let entryLimit = 16
    private static let depthLimit = 6

    /// At least one.
    package let entries: [CredentialAuthorization]

    /// Reads JSON; throws `AuthorizationDetailsError`.
    package init(_ json: [UInt8]) throws(AuthorizationDetailsError) {
        guard json.count <= Self.byteLimit else { throw .tooLong }
        let value: JSONValue
        do { value = try JSONValue.read(json, depthLimit: Self.depthLimit) } catch {
            throw .malformed("it is no JSON with each name once")
        }
        try self.init(value)
    }

    /// Reads the value of a claim or parameter; throws `AuthorizationDetailsError`.
    package init(_ value: JSONValue) throws(AuthorizationDetailsError) {
        guard let elements = value.elements, (1...Self.entryLimit).contains(elements.count) else {
            throw .malformed("it is no array of 1 to \(Self.entryLimit) objects")
        }
        var entries: [CredentialAuthorization] = []
        for element in elements { entries.append(try CredentialAuthorization(element)) }
        self.entries = entries
        guard json.count <= Self.claimLimit else { throw .tooLong }
    }

    /// The types of the entries.
    package var types: Set<String> { Set(entries.map(\.kind.rawValue)) }
    /// Where they are to be used, in the words of the request; empty where it does not say.
    package var locations: Set<String> { Set(entries.flatMap(\.locations)) }

    /// As tokens and answers have them: names of the standard alone, digests in padded Base64, labels left out.
    package var value: JSONValue { .array(entries.map(\.value)) }
    /// `value` in UTF-8.
    package var json: [UInt8] { value.bytes }

    /// Whether everything of `asked` is a part of this, no entry of this counting for two of them (RFC 9396 §6).
    package func covers(_ asked: AuthorizationDetails) -> Bool {
        var left = entries
        for entry in asked.entries {
            guard let index = left.firstIndex(where: { $0.covers(entry) }) else { return false }
            left.remove(at: index)
        }
        return true
    }
}

internal import HPKI
package import JOSE

/// The parameters of a request to the platform (RFC 6749 §3.1, §3.2): each once, none without a value.
package struct RequestParameters: Sendable, Hashable {
    /// The longest query or form's body, in bytes: two tokens of the longest and what stands around them.
    package static let byteLimit = 40 << 10
    private static let fieldLimit = 64
    private static let nameLimit = 64
    /// What may stand several times (RFC 8707 §2).
    private static let repeatable: Set<String> = ["resource"]
    /// What a request object says of itself (RFC 9101 §4) and no parameter is.
    private static let envelope: Set<String> = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub"]

    private let values: [String: [String]]

    /// Reads `application/x-www-form-urlencoded`; names that nobody knows are kept and ignored (RFC 6749 §3.1).
    ///
    /// Throws `.invalidRequest` for what comes twice, is too long, or is no text.
    package init(_ text: some StringProtocol) throws(OAuthError) {
        guard text.utf8.count <= Self.byteLimit else {
            throw OAuthError(.invalidRequest, "The request is longer than \(Self.byteLimit) bytes.")
        }
        let parts = Substring(text).split(separator: "&")
        guard parts.count <= Self.fieldLimit else {
            throw OAuthError(.invalidRequest, "The request has more than \(Self.fieldLimit) parameters.")
        }
        var values: [String: [String]] = [:]
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(pair[0]), let value = pair.count == 2 ? Self.decoded(pair[1]) : "" else {
                throw OAuthError(.invalidRequest, "The parameters are not percent-encoded UTF-8 without controls.")
            }
            guard (1...Self.nameLimit).contains(name.utf8.count), name.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else {
                throw OAuthError(.invalidRequest, "A parameter has no name, or one that no parameter has.")
            }
            guard values[name] == nil || Self.repeatable.contains(name) else {
                throw OAuthError(.invalidRequest, "The parameter \(name.filter(\.isLetter)) comes more than once.")
            }
            values[name, default: []].append(value)
        }
        self.values = values.mapValues { $0.filter { !$0.isEmpty } }.filter { !$0.value.isEmpty }
    }

    /// The parameters in the claims of a request object (RFC 9101 §4); throws `.invalidRequestObject`.
    package init(claims: JSONValue) throws(OAuthError) {
        guard case .object(let members) = claims, members.count <= Self.fieldLimit else {
            throw OAuthError(.invalidRequestObject, "The request object is no object, or has too many members.")
        }
        var values: [String: [String]] = [:]
        for member in members where !Self.envelope.contains(member.name) {
            switch member.value {
            case .string(let text): values[member.name] = [text]
            case .number(let digits): values[member.name] = [digits]
            case .array where Self.repeatable.contains(member.name):
                guard let texts = member.value.texts, texts.count <= Self.fieldLimit else {
                    throw OAuthError(.invalidRequestObject, "A parameter of the request object is no list of texts.")
                }
                values[member.name] = texts
            case .array where member.name == "authorization_details":
                values[member.name] = [String(decoding: member.value.bytes, as: UTF8.self)]
            // Such as `claims`, which is not offered and so ignored, and whatever nobody knows here.
            default: values[member.name] = [String(decoding: member.value.bytes.prefix(64), as: UTF8.self)]
            }
        }
        let isPlain = values.allSatisfy { name, texts in
            name.utf8.count <= Self.nameLimit
                && texts.allSatisfy { $0.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } }
        }
        guard isPlain else {
            throw OAuthError(.invalidRequestObject, "A parameter of the request object has a control character.")
        }
        self.values = values.mapValues { $0.filter { !$0.isEmpty } }.filter { !$0.value.isEmpty }
    }

    /// The value of a parameter; nil where it is absent or empty.
    package subscript(name: String) -> String? { values[name]?.first }

    /// All values of a parameter that may come several times.
    package func all(_ name: String) -> [String] { values[name] ?? [] }

    /// The names of the parameters that have a value.
    package var names: Set<String> { Set(values.keys) }

    private static func decoded(_ part: Substring) -> String? {
        guard let text = PercentEncoding.decode(part, plus: " "),
            text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { return nil }
        return text
    }
}

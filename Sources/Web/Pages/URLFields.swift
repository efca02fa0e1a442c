internal import HPKI

/// The fields of a query or of a form's body (`application/x-www-form-urlencoded`): bounded, each name once.
struct URLFields: Sendable {
    static let byteLimit = 4096
    static let bodyLimit = 40 << 10
    private static let fieldLimit = 32

    private let values: [String: String]

    /// Reads the fields of `known` names; others are refused.
    ///
    /// Empty values count as absent, since a browser sends every field of a form. Throws `.malformedRequest`.
    init(_ text: some StringProtocol, known: Set<String>, atMost limit: Int = URLFields.byteLimit) throws(Failure) {
        guard text.utf8.count <= limit else {
            throw Failure(.malformedRequest, "The query is longer than \(limit) bytes.")
        }
        let parts = Substring(text).split(separator: "&")
        guard parts.count <= Self.fieldLimit else {
            throw Failure(.malformedRequest, "The query has more than \(Self.fieldLimit) fields.")
        }
        var values: [String: String] = [:]
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decoded(pair[0])
            guard known.contains(name) else {
                throw Failure(.malformedRequest, "The query has a field that this page does not know.")
            }
            guard values[name] == nil else {
                throw Failure(.malformedRequest, "The query has the field \(name) twice.")
            }
            values[name] = pair.count == 2 ? try Self.decoded(pair[1]) : ""
        }
        self.values = values.filter { !$0.value.isEmpty }
    }

    /// The value without white space around it; nil where there is none.
    subscript(name: String) -> String? {
        guard let value = values[name] else { return nil }
        let trimmed = value.unicodeScalars.drop { $0.properties.isWhitespace }.reversed()
            .drop { $0.properties.isWhitespace }.reversed()
        return trimmed.isEmpty ? nil : String(String.UnicodeScalarView(trimmed))
    }

    /// Percent-decoded UTF-8 without controls.
    private static func decoded(_ part: Substring) throws(Failure) -> String {
        guard let text = PercentEncoding.decode(part, plus: " "),
            text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { throw malformed }
        return text
    }

    private static let malformed = Failure(.malformedRequest, "The query is not percent-encoded UTF-8.")

    /// One value in the notation of a query.
    static func encoded(_ value: String) -> String { PercentEncoding.encode(value) }

    /// A query of those pairs that have a value.
    static func query(_ pairs: [(String, String?)]) -> String { PercentEncoding.query(pairs) }
}

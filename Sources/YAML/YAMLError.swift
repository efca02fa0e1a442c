/// Why a YAML document was refused; lines count from 1, and no value of the document is repeated.
package enum YAMLError: Error, Sendable, Hashable {
    case tooLarge(limit: Int)
    case notUTF8
    case empty
    case severalDocuments
    case syntax(line: Int, problem: String)
    case tooDeep(line: Int)
    case anchor(line: Int)
    case tag(line: Int)
    case keyNotScalar(line: Int)
    case duplicateKey(line: Int, key: String)
    case unknownKey(line: Int, key: String, suggestion: String?)
    case missingKey(line: Int, key: String)
    case wrongValue(line: Int, key: String, expected: String)
}

extension YAMLError: CustomStringConvertible {
    /// One line for the author of the file.
    package var description: String {
        switch self {
        case .tooLarge(let limit): "the file is larger than \(limit) bytes"
        case .notUTF8: "the file is not UTF-8"
        case .empty: "the file has no content"
        case .severalDocuments: "the file has more than one document"
        case .syntax(let line, let problem): "line \(line): \(problem)"
        case .tooDeep(let line): "line \(line): nested deeper than \(YAMLNode.depthLimit) levels"
        case .anchor(let line): "line \(line): anchors (&) and aliases (*) are not allowed; quote the text if it is one"
        case .tag(let line): "line \(line): tags (!) are not allowed; quote the text if it is one"
        case .keyNotScalar(let line): "line \(line): a key must be a text on one line, and merge keys are not allowed"
        case .duplicateKey(let line, let key): "line \(line): `\(key)` stands more than once in one mapping"
        case .unknownKey(let line, let key, nil): "line \(line): `\(key)` is not known here"
        case .unknownKey(let line, let key, let word?): "line \(line): `\(key)` is not known here; meant is `\(word)`?"
        case .missingKey(let line, let key): "line \(line): `\(key)` is missing"
        case .wrongValue(let line, "", let expected): "line \(line): the document \(expected)"
        case .wrongValue(let line, let key, let expected): "line \(line): `\(key)` \(expected)"
        }
    }
}

extension YAMLError {
    /// The line of the file, where the error has one.
    package var line: Int? {
        switch self {
        case .tooLarge, .notUTF8, .empty, .severalDocuments: nil
        case .syntax(let line, _), .tooDeep(let line), .anchor(let line), .tag(let line), .keyNotScalar(let line),
            .duplicateKey(let line, _), .unknownKey(let line, _, _), .missingKey(let line, _),
            .wrongValue(let line, _, _):
            line
        }
    }
}

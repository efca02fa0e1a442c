/// Why a token or a key set was refused; texts taken from it are cut to 64 printable ASCII characters.
package enum JOSEError: Error, Sendable, Hashable {
    /// The token or key set is over its size.
    case tooLong
    /// It is not a compact JWS of three canonical base64url parts with JSON objects inside; the text says what is wrong.
    case malformed(String)
    /// A member stands twice in one JSON object (RFC 7515 §4, RFC 7519 §4).
    case duplicateName(String)
    /// `alg` is `none` (RFC 7518 §3.6).
    case unsecured
    /// `alg` is none of those allowed here.
    case algorithmRefused(String)
    /// `alg` is not one that the key is for.
    case algorithmMismatch
    /// The header has no `kid` and the key set has more than one key, or a key with a name.
    case missingKeyID
    /// No key of the set has this `kid`; the set may be older than the key.
    case unknownKey(String)
    /// The header has `crit`, and no extension is understood here (RFC 7515 §4.1.11).
    case critRefused
    /// `typ` is none of those accepted here.
    case typeRefused(String)
    /// There is no `typ`, and what is wanted here must have one (RFC 8725 §3.11).
    case typeMissing
    /// The signature is not one of these bytes by this key.
    case badSignature
    /// A registered claim has a value of the wrong type.
    case claimMalformed(String)
    /// A claim that must be there is not.
    case claimMissing(String)
    /// `cnf` binds the token to a key in no way that is understood here (RFC 7800 §3.1); it is no bearer token.
    case confirmationUnknown
    /// A key cannot be read, or is of a strength that is not accepted.
    case keyMalformed(String)
    /// The key set as a whole breaks a rule.
    case keySetMalformed(String)

    /// A short stable word for logs and answers, free of the token's contents.
    package var code: String {
        switch self {
        case .tooLong: "token-too-long"
        case .malformed: "token-malformed"
        case .duplicateName: "duplicate-name"
        case .unsecured: "algorithm-none"
        case .algorithmRefused: "algorithm-refused"
        case .algorithmMismatch: "algorithm-mismatch"
        case .missingKeyID: "missing-kid"
        case .unknownKey: "unknown-key"
        case .critRefused: "crit-refused"
        case .typeRefused: "type-refused"
        case .typeMissing: "type-missing"
        case .badSignature: "bad-signature"
        case .claimMalformed: "claim-malformed"
        case .claimMissing: "claim-missing"
        case .confirmationUnknown: "confirmation-unknown"
        case .keyMalformed: "key-malformed"
        case .keySetMalformed: "key-set-malformed"
        }
    }
}

extension JOSEError: CustomStringConvertible {
    /// One clause for an operator or a caller.
    package var description: String {
        switch self {
        case .tooLong: "the token or key set is too long"
        case .malformed(let problem): "the token is malformed: \(problem)"
        case .duplicateName(let name): "the member \(name) stands twice in one object"
        case .unsecured: "a token without a signature (alg none) is never accepted"
        case .algorithmRefused(let name): "the algorithm \(name) is not accepted"
        case .algorithmMismatch: "the algorithm is not the one of the key"
        case .missingKeyID: "the token does not say by which key it is signed (kid)"
        case .unknownKey(let name): "the issuer has no key \(name)"
        case .critRefused: "the token's header has critical extensions (crit)"
        case .typeRefused(let name): "the type \(name) is not one that is accepted here"
        case .typeMissing: "the token does not say its type (typ)"
        case .badSignature: "the signature is not good"
        case .claimMalformed(let name): "the claim \(name) has a value of the wrong type"
        case .claimMissing(let name): "the claim \(name) is missing"
        case .confirmationUnknown: "the token is bound to a key in a way that is not understood here (cnf)"
        case .keyMalformed(let problem): "a key is not usable: \(problem)"
        case .keySetMalformed(let problem): "the key set is not usable: \(problem)"
        }
    }
}

/// What of a hostile text may stand in an error: its first 64 characters, other than printable ASCII as `?`.
func excerpt(_ text: String) -> String {
    let printable = text.utf8.prefix(64).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
    return String(decoding: printable, as: UTF8.self)
}

internal import HPKI

/// One key of a set as its JSON says it, checked, but not yet a key (RFC 7517 §4, RFC 7518 §6).
struct PublicJWK {
    /// The public numbers in base64url, of the lengths that their kind must have.
    enum Material {
        case p256(x: String, y: String)
        case rsa(n: String, e: String)
    }

    let keyID: String?
    /// What the key may verify; empty for a key that is for something else.
    let algorithms: [JWSAlgorithm]
    let material: Material?
    let signatureByteCount: Int

    private static let privateNames = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

    init(_ value: JSONValue) throws(JOSEError) {
        guard !Self.privateNames.contains(where: { value[$0] != nil }), value["kty"] != .string("oct") else {
            throw .keySetMalformed("a private or symmetric key in a public set")
        }
        let keyID = try Self.text("kid", of: value)
        guard keyID.map({ (1...256).contains($0.utf8.count) }) ?? true else { throw .keyMalformed("kid") }
        self.keyID = keyID
        guard let kind = try Self.text("kty", of: value) else { throw .keyMalformed("kty is missing") }
        let family = try Self.family(kind, value)
        guard try Self.isForVerifying(value) else {
            (algorithms, material, signatureByteCount) = ([], nil, 0)
            return
        }
        if let name = try Self.text("alg", of: value) {
            algorithms = family.filter { $0.rawValue == name }
        } else {
            algorithms = family
        }
        guard !algorithms.isEmpty else {
            (material, signatureByteCount) = (nil, 0)
            return
        }
        (material, signatureByteCount) = kind == "EC" ? try Self.point(value) : try Self.modulus(value)
    }

    /// The algorithms of a kind of key; none for kinds and curves that are not ours.
    private static func family(_ kind: String, _ value: JSONValue) throws(JOSEError) -> [JWSAlgorithm] {
        switch kind {
        case "EC": try text("crv", of: value) == "P-256" ? [.es256] : []
        case "RSA": [.rs256, .ps256]
        default: []
        }
    }

    /// False where `use` or `key_ops` say that the key is for something else.
    private static func isForVerifying(_ value: JSONValue) throws(JOSEError) -> Bool {
        if let use = try text("use", of: value), use != "sig" { return false }
        guard let operations = value["key_ops"] else { return true }
        guard let texts = operations.texts, Set(texts).count == texts.count else { throw .keyMalformed("key_ops") }
        return texts.contains("verify")
    }

    private static func point(_ value: JSONValue) throws(JOSEError) -> (Material, Int) {
        guard let x = try text("x", of: value), let y = try text("y", of: value),
            Base64URL.decode(x)?.count == 32, Base64URL.decode(y)?.count == 32
        else { throw .keyMalformed("x and y must have 32 bytes each (RFC 7518 §6.2.1)") }
        return (.p256(x: x, y: y), 64)
    }

    private static func modulus(_ value: JSONValue) throws(JOSEError) -> (Material, Int) {
        guard let n = try text("n", of: value), let e = try text("e", of: value),
            let modulus = Base64URL.decode(n), let exponent = Base64URL.decode(e),
            let first = modulus.first, let last = modulus.last, first != 0, last & 1 == 1
        else { throw .keyMalformed("n and e must be shortest big-endian integers (RFC 7518 §6.3.1)") }
        let bits = modulus.count * 8 - first.leadingZeroBitCount
        guard (2048...4096).contains(bits) else { throw .keyMalformed("an RSA key must have 2048 to 4096 bits") }
        guard exponent.count <= 4, exponent.first != 0 else { throw .keyMalformed("the exponent of an RSA key") }
        let number = exponent.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard number >= 3, number & 1 == 1 else { throw .keyMalformed("the exponent of an RSA key") }
        guard !hasROCAFingerprint(modulus) else {
            throw .keyMalformed("an RSA key as weak chips make it (CVE-2017-15361)")
        }
        return (.rsa(n: n, e: e), modulus.count)
    }

    private static func text(_ name: String, of value: JSONValue) throws(JOSEError) -> String? {
        guard let member = value[name] else { return nil }
        guard let text = member.text else { throw .keyMalformed("\(name) is no string") }
        return text
    }
}

/// Whether a modulus is of the form that the chips of CVE-2017-15361 (ROCA) gave, whose keys can be factored.
///
/// Their primes are powers of 65537 modulo the product of the small primes, and so is the modulus; a sound one is by
/// chance once in 2^27.
private func hasROCAFingerprint(_ modulus: [UInt8]) -> Bool {
    let primes = (3...167).filter { number in !(2..<number).contains { number % $0 == 0 } }
    return primes.allSatisfy { prime in
        let rest = modulus.reduce(0) { ($0 << 8 | Int($1)) % prime }
        var power = 1
        for _ in 1..<prime {
            if power == rest { return true }
            power = power * 65_537 % prime
        }
        return false
    }
}

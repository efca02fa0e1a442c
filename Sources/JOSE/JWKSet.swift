internal import HPKI
internal import JWTKit

/// A signature algorithm of a token (RFC 7518 §3.1).
package enum JWSAlgorithm: String, Sendable, Hashable, CaseIterable {
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rs256 = "RS256"
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    case ps256 = "PS256"
}

/// An issuer's public keys (RFC 7517 §5), each ready to verify.
///
/// Keys that are not for verifying with our algorithms are skipped, as RFC 7517 §5 asks; a private or symmetric key,
/// or one of ours that is weak or wrong, refuses the whole set, since its issuer is not to be trusted with keys.
package struct JWKSet: Sendable {
    /// The largest key set, in bytes of JSON.
    package static let byteLimit = 65_536
    /// The most keys of a set.
    package static let keyLimit = 64

    private let keys: [VerifyingKey]

    /// Reads the JSON of a key set; throws `JOSEError`.
    package init(_ json: [UInt8]) async throws(JOSEError) {
        guard json.count <= Self.byteLimit else { throw .tooLong }
        let value: JSONValue
        do {
            value = try JSONValue.read(json)
        } catch .malformed(let problem) {
            throw .keySetMalformed(problem)
        }
        guard case .array(let members) = value["keys"] else { throw .keySetMalformed("no array of keys") }
        guard members.count <= Self.keyLimit else { throw .keySetMalformed("more than \(Self.keyLimit) keys") }
        var keys: [VerifyingKey] = []
        var names: Set<String> = []
        for member in members {
            guard case .object = member else { throw .keySetMalformed("a key is no object") }
            let jwk = try PublicJWK(member)
            if let name = jwk.keyID, !names.insert(name).inserted { throw .keySetMalformed("two keys with one kid") }
            if jwk.keyID == nil, members.count > 1 { throw .keySetMalformed("a key without kid among others") }
            if !jwk.algorithms.isEmpty { keys.append(try await VerifyingKey(jwk)) }
        }
        self.keys = keys
    }

    /// The `kid` of every usable key that has one, sorted.
    package var keyIDs: [String] { keys.compactMap(\.keyID).sorted() }

    /// How many keys can verify tokens.
    package var count: Int { keys.count }

    /// The key that a token's header names; throws `.unknownKey` or `.missingKeyID`.
    func key(_ keyID: String?) throws(JOSEError) -> VerifyingKey {
        guard let keyID else {
            // Only a set of a single nameless key leaves no choice.
            guard keys.count == 1, let only = keys.first, only.keyID == nil else { throw .missingKeyID }
            return only
        }
        guard let key = keys.first(where: { $0.keyID.map { Array($0.utf8) } == Array(keyID.utf8) }) else {
            throw .unknownKey(excerpt(keyID))
        }
        return key
    }
}

/// One public key with jwt-kit's verifier for each algorithm it may be used with.
struct VerifyingKey: Sendable {
    let keyID: String?
    let thumbprint: String?
    private let verifiers: [JWSAlgorithm: any JWTAlgorithm]
    private let signatureByteCount: Int

    init(_ jwk: PublicJWK) async throws(JOSEError) {
        keyID = jwk.keyID
        thumbprint = jwk.material.map { JWKThumbprint.of($0) }
        // jwt-kit gives its verifiers out only through its actor; asked once here, no token waits for that later.
        let collection = JWTKeyCollection()
        do {
            var verifiers: [JWSAlgorithm: any JWTAlgorithm] = [:]
            for algorithm in jwk.algorithms {
                let name = JWKIdentifier(string: algorithm.rawValue)
                switch (jwk.material, algorithm) {
                case (.p256(let x, let y), .es256):
                    await collection.add(ecdsa: try ES256PublicKey(parameters: (x, y)), kid: name)
                case (.rsa(let n, let e), .rs256):
                    let key = try Insecure.RSA.PublicKey(modulus: n, exponent: e)
                    await collection.add(rsa: key, digestAlgorithm: .sha256, kid: name)
                case (.rsa(let n, let e), .ps256):
                    let key = try Insecure.RSA.PublicKey(modulus: n, exponent: e)
                    await collection.add(pss: key, digestAlgorithm: .sha256, kid: name)
                default: throw JOSEError.algorithmMismatch
                }
                verifiers[algorithm] = try await collection.getKey(for: name)
            }
            self.verifiers = verifiers
            signatureByteCount = jwk.signatureByteCount
        } catch {
            throw .keyMalformed("not a point of P-256, or not an RSA key")
        }
    }

    /// Throws `.algorithmMismatch` unless the key is for `algorithm`, and `.badSignature` unless `signature` is good.
    func verify(_ signature: [UInt8], of message: [UInt8], by algorithm: JWSAlgorithm) throws(JOSEError) {
        guard let verifier = verifiers[algorithm] else { throw .algorithmMismatch }
        guard signature.count == signatureByteCount, (try? verifier.verify(signature, signs: message)) == true else {
            throw .badSignature
        }
    }
}

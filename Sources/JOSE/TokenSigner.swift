internal import Crypto
package import HPKI
internal import JWTKit

/// Signs tokens with a key of its own: those of the platform, of a development issuer and of tests.
package struct TokenSigner: Sendable {
    package let algorithm: JWSAlgorithm
    package let keyID: String
    /// The public key with `kid`, `use` and `alg` (RFC 7517).
    package let publicJWK: JSONValue
    /// The private key in PEM (PKCS#8), which is a secret.
    package let privateKeyPEM: String
    private let key: any JWTAlgorithm

    /// A fresh ES256 key from `random`, named by its thumbprint where `keyID` is nil; throws `.keyMalformed`.
    package static func generate(keyID: String? = nil, random: Random) async throws(JOSEError) -> TokenSigner {
        for _ in 0..<8 {
            // Fails for 0 and for numbers from the group's order on, once in 2^32.
            guard let key = try? P256.Signing.PrivateKey(rawRepresentation: random.bytes(32)) else { continue }
            return try await TokenSigner(privateKeyPEM: key.pemRepresentation, keyID: keyID)
        }
        throw .keyMalformed("the random source gives no private key")
    }

    /// A key from its PEM, named by its thumbprint (RFC 7638) where `keyID` is nil; throws `.keyMalformed`.
    package init(
        privateKeyPEM: String, algorithm: JWSAlgorithm = .es256, keyID: String? = nil
    ) async throws(JOSEError) {
        let collection = JWTKeyCollection()
        let material: PublicJWK.Material
        do {
            switch algorithm {
            case .es256:
                let key = try P256.Signing.PrivateKey(pemRepresentation: privateKeyPEM)
                let point = Array(key.publicKey.rawRepresentation)
                material = .p256(
                    x: Base64URL.encode(Array(point.prefix(32))), y: Base64URL.encode(Array(point.suffix(32))))
                await collection.add(ecdsa: try ES256PrivateKey(pem: privateKeyPEM))
            case .rs256, .ps256:
                let key = try Insecure.RSA.PrivateKey(pem: privateKeyPEM)
                let (n, e) = try key.publicKey.getKeyPrimitives()
                material = .rsa(n: Base64URL.encode(Array(n)), e: Base64URL.encode(Array(e)))
                if algorithm == .rs256 {
                    await collection.add(rsa: key, digestAlgorithm: .sha256)
                } else {
                    await collection.add(pss: key, digestAlgorithm: .sha256)
                }
            }
            key = try await collection.getKey()
        } catch {
            throw .keyMalformed("the PEM is no private key of \(algorithm.rawValue)")
        }
        let name = keyID ?? JWKThumbprint.of(material)
        let use = [
            JSONMember("kid", .string(name)), JSONMember("use", "sig"),
            JSONMember("alg", .string(algorithm.rawValue)),
        ]
        self.algorithm = algorithm
        self.keyID = name
        self.privateKeyPEM = privateKeyPEM
        publicJWK = .object(JWKThumbprint.members(material) + use)
    }

    /// The JSON of the key set that holds this key alone.
    package var publicJWKSet: [UInt8] { Self.jwks(of: [self]) }

    /// The JSON of a set of several keys (RFC 7517 §5), as while one takes over from another.
    package static func jwks(of signers: [TokenSigner]) -> [UInt8] {
        JSONValue.object([JSONMember("keys", .array(signers.map(\.publicJWK)))]).bytes
    }

    /// `at_hash`, by which an ID token names the access token given with it (OpenID Connect Core §3.1.3.6): the left half
    /// of its SHA-256, the hash of all our algorithms, in base64url.
    package func atHash(of accessToken: String) -> String {
        Base64URL.encode(Array(HPKI.Digest(of: Array(accessToken.utf8)).bytes.prefix(16)))
    }

    /// The compact JWS of `claims`, their members in the order given; throws `.malformed` where they are no object.
    package func sign(_ claims: JSONValue, type: String = "JWT") throws(JOSEError) -> String {
        try sign(["alg": .string(algorithm.rawValue), "typ": .string(type), "kid": .string(keyID)], claims)
    }

    /// A proof that the key's holder makes this very request (RFC 9449 §4.2), as a client sends it.
    ///
    /// `jti` is fresh for each proof, `nonce` the server's; `accessToken` comes with the request.
    package func dpopProof(
        method: String, uri: String, jti: String, at now: Instant, accessToken: String? = nil, nonce: String? = nil
    ) throws(JOSEError) -> String {
        var claims = [
            JSONMember("jti", .string(jti)), JSONMember("htm", .string(method)), JSONMember("htu", .string(uri)),
            JSONMember("iat", .integer(now.seconds)),
        ]
        if let accessToken {
            claims.append(
                JSONMember("ath", .string(Base64URL.encode(HPKI.Digest(of: Array(accessToken.utf8)).bytes))))
        }
        if let nonce { claims.append(JSONMember("nonce", .string(nonce))) }
        return try sign(
            ["typ": "dpop+jwt", "alg": .string(algorithm.rawValue), "jwk": publicJWK], .object(claims))
    }

    private func sign(_ header: JSONValue, _ claims: JSONValue) throws(JOSEError) -> String {
        guard case .object = claims else { throw .malformed("claims must be an object") }
        let input = "\(Base64URL.encode(header.bytes)).\(Base64URL.encode(claims.bytes))"
        do {
            return "\(input).\(Base64URL.encode(try key.sign(Array(input.utf8))))"
        } catch {
            throw .keyMalformed("the key cannot sign")
        }
    }
}

extension TokenSigner: CustomStringConvertible {
    /// The key's name and nothing of the key, so that no log can print it.
    package var description: String { "TokenSigner(\(algorithm.rawValue), \(keyID))" }
}

internal import HPKI

/// The name of a public key that everybody computes alike (RFC 7638), with SHA-256.
package enum JWKThumbprint {
    /// The thumbprint, in base64url, of a public key in JSON: EC on P-256 or RSA.
    ///
    /// Throws `.keySetMalformed` of a private or symmetric key, and `.keyMalformed` of one that cannot be used here.
    package static func of(_ jwk: JSONValue) throws(JOSEError) -> String {
        guard let material = try PublicJWK(jwk).material else { throw .keyMalformed("not a key for our algorithms") }
        return of(material)
    }

    static func of(_ material: PublicJWK.Material) -> String {
        Base64URL.encode(Digest(of: JSONValue.object(members(material)).bytes).bytes)
    }

    /// The members that are hashed, in their order (RFC 7638 §3.2).
    static func members(_ material: PublicJWK.Material) -> [JSONMember] {
        switch material {
        case .p256(let x, let y):
            [
                JSONMember("crv", "P-256"), JSONMember("kty", "EC"), JSONMember("x", .string(x)),
                JSONMember("y", .string(y)),
            ]
        case .rsa(let n, let e):
            [JSONMember("e", .string(e)), JSONMember("kty", "RSA"), JSONMember("n", .string(n))]
        }
    }
}

package import HPKI

/// A client's proof that it holds a key, made for one request (RFC 9449 §4).
///
/// Form, key and signature are checked, and nothing else: whether the time is near, the proof new, its nonce ours, its
/// request this one (`matches`) and its key that of the token is for the caller to judge.
package struct DPoPProof: Sendable, Hashable {
    /// The longest proof, in bytes; one with an RSA key of 4096 bits has some 2000.
    package static let byteLimit = 8192

    /// `jti`, 1 to 256 bytes, by which a proof is known again.
    package let jti: String
    /// `htm`, the request's method.
    package let method: String
    /// `htu`, the request's address as the client wrote it.
    package let uri: String
    package let issuedAt: Instant
    /// `ath`, SHA-256 of the access token in base64url.
    package let accessTokenHash: String?
    package let nonce: String?
    /// The key's thumbprint (RFC 7638) in base64url, which `cnf.jkt` of a token bound to it is.
    package let thumbprint: String
    package let algorithm: JWSAlgorithm
    private let target: HTTPTarget

    /// Reads a proof and verifies it with the key that it brings; throws `JOSEError`.
    package init(
        verifying compact: String, allowed: Set<JWSAlgorithm> = Set(JWSAlgorithm.allCases)
    ) async throws(JOSEError) {
        let jws = try CompactJWS(compact, byteLimit: Self.byteLimit)
        _ = try jws.type(.dpop)
        algorithm = try jws.algorithm(allowed)
        guard let jwk = jws.key else { throw .malformed("no jwk") }
        thumbprint = try await Self.verify(jws, by: algorithm, key: jwk)
        let claims = try Claims(jws.payload)
        jti = try claims.required("jti", 1...256)
        method = try claims.required("htm", 1...32)
        uri = try claims.required("htu", 1...2048)
        guard let target = HTTPTarget(uri) else { throw .claimMalformed("htu") }
        self.target = target
        guard let issuedAt = try claims.instant("iat") else { throw .claimMissing("iat") }
        self.issuedAt = issuedAt
        accessTokenHash = try claims.text("ath")
        guard accessTokenHash.map({ Base64URL.decode($0)?.count == 32 }) ?? true else { throw .claimMalformed("ath") }
        nonce = try claims.text("nonce")
        guard nonce.map({ (1...512).contains($0.utf8.count) }) ?? true else { throw .claimMalformed("nonce") }
    }

    /// The thumbprint of the key, once it is known to have signed.
    private static func verify(
        _ jws: CompactJWS, by algorithm: JWSAlgorithm, key: JSONValue
    ) async throws(JOSEError) -> String {
        guard case .object = key else { throw .keyMalformed("jwk is no object") }
        let jwk: PublicJWK
        do throws(JOSEError) {
            jwk = try PublicJWK(key)
        } catch .keySetMalformed {
            throw .keyMalformed("jwk is a private or symmetric key")
        }
        let verifying = try await VerifyingKey(jwk)
        guard let thumbprint = verifying.thumbprint else { throw .keyMalformed("jwk is not for our algorithms") }
        try verifying.verify(jws.signature, of: jws.signingInput, by: algorithm)
        return thumbprint
    }

    /// Whether the proof is for a request of this method to this address, both as the server knows them.
    ///
    /// Query and fragment do not count, nor the case of scheme, host and escapes, nor a port that is the scheme's own
    /// (RFC 9449 §4.3, RFC 3986 §6.2.2.1 and §6.2.3). Paths with dots are not resolved, and match only themselves.
    package func matches(method: String, uri: String) -> Bool {
        self.method == method && HTTPTarget(uri) == target
    }
}

/// What of an http or https address says where a request goes, in one way of writing it.
private struct HTTPTarget: Sendable, Hashable {
    let scheme: String
    let host: String
    let port: UInt16
    let path: String

    /// Nil of anything but an absolute http or https address in printable ASCII without user information.
    init?(_ uri: String) {
        guard uri.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let colon = uri.firstIndex(of: ":") else {
            return nil
        }
        scheme = uri[..<colon].lowercased()
        guard scheme == "https" || scheme == "http" else { return nil }
        let behind = uri[colon...].dropFirst()
        guard behind.hasPrefix("//") else { return nil }
        let rest = behind.dropFirst(2).prefix { $0 != "?" && $0 != "#" }
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@"), !authority.contains("\\") else { return nil }
        // An IPv6 address stands in brackets, and has colons of its own.
        let nameEnd = authority.lastIndex(of: "]").map { authority.index(after: $0) } ?? authority.startIndex
        let digitsStart = authority[nameEnd...].firstIndex(of: ":")
        let name = authority[..<(digitsStart ?? authority.endIndex)]
        guard !name.isEmpty else { return nil }
        host = name.lowercased()
        let usual: UInt16 = scheme == "https" ? 443 : 80
        let digits = digitsStart.map { authority[$0...].dropFirst() } ?? ""
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = digits.isEmpty ? usual : UInt16(digits)
        else { return nil }
        self.port = port
        let path = rest[authority.endIndex...]
        self.path = path.isEmpty ? "/" : Self.withUpperCaseEscapes(path)
    }

    private static func withUpperCaseEscapes(_ path: Substring) -> String {
        var output: [UInt8] = []
        var digits = 0
        for byte in path.utf8 {
            let isLower = digits > 0 && (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            output.append(isLower ? byte & 0xDF : byte)
            digits = byte == UInt8(ascii: "%") ? 2 : max(0, digits - 1)
        }
        return String(decoding: output, as: UTF8.self)
    }
}

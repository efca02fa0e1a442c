internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird

/// The access token of a request, unverified: core alone judges it.
struct BearerToken {
    private static let proofLimit = 16_384

    /// The text behind `Bearer` or `DPoP`; 1 to 16 384 bytes.
    let text: String
    /// Whether the scheme is `DPoP` (RFC 9449 §7.1).
    let isDPoP: Bool
    /// The DPoP proof that came with it.
    let proof: String?
    /// The issuer and client that the token claims, for sharing out capacity before anything is verified; empty for a
    /// token that claims none.
    let claimedClient: String

    /// Reads the one Authorization field (RFC 6750 §2.1, RFC 9449 §7.1) and the one DPoP field.
    ///
    /// Throws `.missingToken`, `.invalidToken` or `.invalidDPoPProof`.
    init(_ headers: HTTPFields) throws(Failure) {
        let fields = headers[values: .authorization]
        guard let field = fields.first else {
            throw Failure(.missingToken, "The request has no Authorization field.")
        }
        guard fields.count == 1 else {
            throw Failure(.invalidToken, "The request has several Authorization fields.", reasons: ["malformed"])
        }
        let scheme = field.prefix { $0 != " " }.lowercased()
        let token = field.dropFirst(scheme.count + 1)
        guard ["bearer", "dpop"].contains(scheme), !token.isEmpty else {
            throw Failure(.missingToken, "The Authorization field is not of the Bearer or the DPoP scheme.")
        }
        guard token.utf8.count <= 16_384, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Failure(
                .invalidToken, "The token is longer than 16384 bytes or has characters that no token has.",
                reasons: ["malformed"]
            )
        }
        text = String(token)
        isDPoP = scheme == "dpop"
        proof = try Self.proof(headers)
        claimedClient = Self.client(claimedBy: text)
    }

    /// The one DPoP field of a request (RFC 9449 §4.3); throws `.invalidDPoPProof` for several, or one that is too long.
    static func proof(_ headers: HTTPFields) throws(Failure) -> String? {
        let proofs = headers[values: .dpop]
        guard proofs.count <= 1 else {
            throw Failure(.invalidDPoPProof, "The request has several DPoP fields.")
        }
        guard let proof = proofs.first else { return nil }
        guard (1...proofLimit).contains(proof.utf8.count), proof.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Failure(
                .invalidDPoPProof, "The proof is longer than \(proofLimit) bytes or has characters that no proof has.")
        }
        return proof
    }

    /// The token with what came beside it, for a request of `method` to `url`, whose client showed `certificate`.
    func presented(method: String, url: String, certificate: [UInt8]?) -> PresentedToken {
        guard isDPoP || proof != nil || certificate != nil else { return PresentedToken(text) }
        return PresentedToken(
            text,
            possession: PresentedToken.Possession(
                isDPoP: isDPoP, proof: proof, method: method, url: url, certificate: certificate.map { Digest(of: $0) })
        )
    }

    private static func client(claimedBy text: String) -> String {
        // By bytes: strangers send many of these, and characters cost more than all the rest here.
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].count <= 8192, let payload = Base64URL.decode(Substring(parts[1])),
            let claims = try? JSONReader.object(payload)
        else { return "" }
        let names = ["iss", "azp", "client_id"].map { name in
            if case .string(let value)? = claims[name] {
                String(decoding: value.prefix(256), as: UTF8.self)
            } else {
                ""
            }
        }
        return names.joined(separator: "\n")
    }
}

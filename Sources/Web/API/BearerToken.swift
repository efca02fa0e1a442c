internal import HPKI
internal import HTTPTypes

/// The access token of a request, unverified: core alone judges it.
struct BearerToken {
    /// The text behind `Bearer`; 1 to 16 384 bytes.
    let text: String
    /// The issuer and client that the token claims, for sharing out capacity before anything is verified; empty for a
    /// token that claims none.
    let claimedClient: String

    /// Reads the one Authorization field (RFC 6750 §2.1); throws `.missingToken` or `.invalidToken`.
    init(_ headers: HTTPFields) throws(Failure) {
        let fields = headers[values: .authorization]
        guard let field = fields.first else {
            throw Failure(.missingToken, "The request has no Authorization field.")
        }
        guard fields.count == 1 else {
            throw Failure(.invalidToken, "The request has several Authorization fields.", reasons: ["malformed"])
        }
        let prefix = "bearer "
        guard field.utf8.count > prefix.utf8.count, field.prefix(prefix.count).lowercased() == prefix else {
            throw Failure(.missingToken, "The Authorization field is not of the Bearer scheme.")
        }
        let token = field.dropFirst(prefix.count)
        guard token.utf8.count <= 16_384, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Failure(
                .invalidToken, "The token is longer than 16384 bytes or has characters that no token has.",
                reasons: ["malformed"]
            )
        }
        text = String(token)
        claimedClient = Self.client(claimedBy: text)
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

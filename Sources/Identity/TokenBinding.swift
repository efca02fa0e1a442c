internal import HPKI
package import JOSE

/// The key that an access token is bound to (RFC 7800 §3, `cnf`).
package enum TokenBinding: Sendable, Hashable {
    /// `jkt`: the RFC 7638 thumbprint of a DPoP key in base64url (RFC 9449 §6.1).
    case key(thumbprint: String)
    /// `x5t#S256`: SHA-256 over the client's certificate in base64url (RFC 8705 §3.1).
    case certificate(thumbprint: String)

    /// The binding that a verified token states; nil for a bearer token.
    ///
    /// Throws `.claim` for one that states both, which nobody could satisfy by one rule.
    package init?(_ token: VerifiedToken) throws(IdentityError) {
        switch (token.cnfThumbprint, token.cnfCertificate) {
        case (nil, nil): return nil
        case (let key?, nil): self = .key(thumbprint: key)
        case (nil, let certificate?): self = .certificate(thumbprint: certificate)
        case (_?, _?): throw .claim("cnf", "names two kinds of key")
        }
    }

    /// The binding as one word, for a table.
    package var text: String {
        switch self {
        case .key(let thumbprint): "jkt:" + thumbprint
        case .certificate(let thumbprint): "x5t:" + thumbprint
        }
    }

    /// Reads `text`; nil for anything else.
    package init?(text: String) {
        if text.hasPrefix("jkt:") {
            self = .key(thumbprint: String(text.dropFirst(4)))
        } else if text.hasPrefix("x5t:") {
            self = .certificate(thumbprint: String(text.dropFirst(4)))
        } else {
            return nil
        }
    }

    /// The member `cnf` of a token.
    package var claim: JSONValue {
        switch self {
        case .key(let thumbprint): ["jkt": .string(thumbprint)]
        case .certificate(let thumbprint): ["x5t#S256": .string(thumbprint)]
        }
    }
}

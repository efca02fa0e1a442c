internal import HPKI
internal import HTTPTypes
internal import Hummingbird

/// What tells a client how to ask again: WWW-Authenticate (RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3) and DPoP-Nonce.
enum Challenge {
    /// The algorithms of proofs that core accepts.
    static let proofAlgorithms = ["ES256", "RS256", "PS256"]

    /// The fields for a failure; none where its status is not 401.
    static func fields(_ failure: Failure, _ row: FailureTable.Row, isDPoP: Bool) -> HTTPFields {
        var fields = HTTPFields()
        if row.status == 401 {
            for isOfDPoP in order(failure, isDPoP: isDPoP) {
                fields.append(HTTPField(name: .wwwAuthenticate, value: challenge(failure, row, isDPoP: isOfDPoP)))
            }
        }
        fields.append(contentsOf: nonce(failure))
        return fields
    }

    /// `DPoP-Nonce`, where the failure brings one.
    static func nonce(_ failure: Failure) -> HTTPFields {
        guard failure.kind == .dpopNonceNeeded, let nonce = failure.reasons.first else { return [:] }
        return [.dpopNonce: nonce]
    }

    /// Whether the request came by the scheme `DPoP`.
    static func isDPoP(_ request: Request) -> Bool {
        request.headers[values: .authorization].contains { $0.lowercased().hasPrefix("dpop ") }
    }

    /// A stranger is offered both schemes; whoever used one is told of that one alone.
    private static func order(_ failure: Failure, isDPoP: Bool) -> [Bool] {
        switch failure.kind {
        case .missingToken: [false, true]
        case .invalidDPoPProof, .dpopNonceNeeded: [true]
        default: [isDPoP]
        }
    }

    /// RFC 6750 §3: a request without credentials is told the scheme alone, without an error code.
    private static func challenge(_ failure: Failure, _ row: FailureTable.Row, isDPoP: Bool) -> String {
        var parts = ["realm=\"shirushi\""]
        if let error = row.oauthError {
            parts.append("error=\"\(error)\"")
            parts.append("error_description=\"\(quotable(failure.detail))\"")
        }
        if failure.kind == .insufficientAuthentication {
            for reason in failure.reasons {
                let pair = reason.split(separator: "=", maxSplits: 1)
                guard pair.count == 2, ["acr_values", "max_age"].contains(pair[0]) else { continue }
                parts.append("\(pair[0])=\"\(quotable(String(pair[1])))\"")
            }
        }
        if isDPoP { parts.append("algs=\"\(proofAlgorithms.joined(separator: " "))\"") }
        return (isDPoP ? "DPoP " : "Bearer ") + parts.joined(separator: ", ")
    }

    /// error_description may hold %x20-21 / %x23-5B / %x5D-7E only (RFC 6749 §5.2).
    static func quotable(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            let isAllowed = (0x20...0x7E).contains(scalar.value) && scalar != "\"" && scalar != "\\"
            return isAllowed ? String(scalar) : "'"
        }.joined()
    }
}

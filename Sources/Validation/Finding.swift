/// The status of a signature (ETSI EN 319 102-1 §5.1.3).
package enum Indication: String, Sendable, Hashable, Codable {
    case totalPassed = "TOTAL-PASSED"
    case indeterminate = "INDETERMINATE"
    case totalFailed = "TOTAL-FAILED"
}

/// Why a signature did not pass, in the words of ETSI EN 319 102-1 §5.1.3.
package enum SubIndication: String, Sendable, Hashable, Codable {
    case formatFailure = "FORMAT_FAILURE"
    case hashFailure = "HASH_FAILURE"
    case signatureCryptoFailure = "SIG_CRYPTO_FAILURE"
    case signatureConstraintsFailure = "SIG_CONSTRAINTS_FAILURE"
    case cryptoConstraintsFailure = "CRYPTO_CONSTRAINTS_FAILURE"
    case cryptoConstraintsFailureNoProofOfExistence = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    case chainConstraintsFailure = "CHAIN_CONSTRAINTS_FAILURE"
    case chainGeneralFailure = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    case noSigningCertificate = "NO_SIGNING_CERTIFICATE_FOUND"
    case noCertificateChain = "NO_CERTIFICATE_CHAIN_FOUND"
    case revoked = "REVOKED"
    case revokedNoProofOfExistence = "REVOKED_NO_POE"
    case outOfBoundsNoProofOfExistence = "OUT_OF_BOUNDS_NO_POE"
    case notYetValid = "NOT_YET_VALID"
    case tryLater = "TRY_LATER"
    case timeStampOrderFailure = "TIMESTAMP_ORDER_FAILURE"
    case signedDataNotFound = "SIGNED_DATA_NOT_FOUND"
}

/// One thing that keeps a signature from passing.
package struct Finding: Error, Sendable, Hashable {
    /// `indeterminate` or `totalFailed`.
    package let indication: Indication
    package let subIndication: SubIndication
    /// A stable code in kebab-case, such as `no-path-to-anchor`.
    package let reason: String
    /// One plain sentence, free of the document's content.
    package let sentence: String

    static func failed(_ sub: SubIndication, _ reason: String, _ sentence: String) -> Finding {
        Finding(indication: .totalFailed, subIndication: sub, reason: reason, sentence: sentence)
    }

    static func format(_ reason: String, _ sentence: String) -> Finding {
        failed(.formatFailure, reason, sentence)
    }

    static func unknown(_ sub: SubIndication, _ reason: String, _ sentence: String) -> Finding {
        Finding(indication: .indeterminate, subIndication: sub, reason: reason, sentence: sentence)
    }
}

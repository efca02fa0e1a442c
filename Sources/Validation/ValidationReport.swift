package import HPKI

/// What a judgement comes to; a validator that does not know says indeterminate.
package enum Verdict: String, Sendable, Hashable, Codable {
    case passed
    case failed
    case indeterminate

    /// The exit status of `shirushi verify`: 0 passed, 1 failed, 2 indeterminate.
    package var exitCode: Int32 {
        switch self {
        case .passed: 0
        case .failed: 1
        case .indeterminate: 2
        }
    }
}

/// The judgement on all e-prescription signatures of one document.
package struct ValidationReport: Sendable, Hashable {
    /// Inner signatures first.
    package let signatures: [SignatureReport]
    /// What is wrong with the document itself, apart from any one signature.
    package let findings: [Finding]
    /// The moment as of which certificates were judged.
    package let judgedAt: Instant

    /// The worst of the document's findings and its signatures; never passed where there is no signature.
    package var result: Verdict {
        let indications = findings.map(\.indication) + signatures.map(\.indication)
        if indications.isEmpty || indications.contains(.totalFailed) { return .failed }
        return indications.contains(.indeterminate) ? .indeterminate : .passed
    }

    /// The codes of everything that was found, each once, in order.
    package var reasons: [String] {
        var seen: Set<String> = []
        return (findings + signatures.flatMap(\.findings)).map(\.reason).filter { seen.insert($0).inserted }
    }
}

/// The judgement on one signature.
package struct SignatureReport: Sendable, Hashable {
    /// Which signature of which form this is.
    package enum Kind: String, Sendable, Hashable, Codable {
        /// The prescriber's, in a prescription.
        case prescription
        /// The prescriber's, in the prescription that a dispensing result carries.
        case embeddedPrescription = "embedded-prescription"
        /// The pharmacist's, over a dispensing result.
        case dispensing
    }

    /// The element that was digested.
    package struct Coverage: Sendable, Hashable, Codable {
        package let element: String
        package let id: String
        /// The length of the element's canonical form, in bytes: what the digest was taken of.
        package let canonicalByteCount: Int
        /// Always false: both forms sign one element of the document, never all of it.
        package let isWholeDocument: Bool
    }

    /// Who holds the certificate, as it says; true only as far as its path is.
    package struct Signer: Sendable, Hashable, Codable {
        package let commonName: String?
        package let japaneseName: String?
        package let roles: [String]
        /// The issuer's distinguished name.
        package let authority: String
        package let serialNumber: String
        /// SHA-256 of the certificate's DER, hexadecimal.
        package let fingerprint: String
    }

    package let kind: Kind
    package internal(set) var findings: [Finding] = []
    /// Digests, signature value and the binding of the certificate hold; says nothing of trust.
    package internal(set) var isCryptographicallyGood = false
    package internal(set) var coverage: Coverage?
    package internal(set) var signer: Signer?
    /// What the signer says; nothing proves it.
    package internal(set) var claimedSigningTime: Instant?
    /// The identifiers of signature, digest and canonicalisation algorithms met.
    package internal(set) var algorithms: [String] = []
    /// Names of unsigned properties, such as time stamps, that were not looked at.
    package internal(set) var notExamined: [String] = []

    init(kind: Kind) {
        self.kind = kind
    }

    /// The worst of the findings; passed only where there is none and the cryptography holds.
    package var indication: Indication {
        if findings.contains(where: { $0.indication == .totalFailed }) { return .totalFailed }
        return findings.isEmpty && isCryptographicallyGood ? .totalPassed : .indeterminate
    }

    /// The first finding that is as bad as the indication.
    package var subIndication: SubIndication? {
        findings.first { $0.indication == indication }?.subIndication
    }
}

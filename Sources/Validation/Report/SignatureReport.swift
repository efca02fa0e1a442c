package import HPKI

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
        /// Any other XML signature.
        case xades
        /// A CMS signature.
        case cades

        /// The kind of document, by which roles are asked for.
        var form: DocumentForm {
            switch self {
            case .prescription, .embeddedPrescription: .prescription
            case .dispensing: .dispensing
            case .xades, .cades: .other
            }
        }
    }

    /// What was digested for one Reference.
    package struct Coverage: Sendable, Hashable, Codable {
        /// What the octets are of.
        package enum Kind: String, Sendable, Hashable, Codable {
            /// One element of the document, with all within it.
            case element
            /// The document as a whole, apart from the signature itself where the signature stands in it.
            case document
            /// Octets beside the document, as the caller gave them.
            case octets
        }

        package let kind: Kind
        /// The Reference's URI; empty where it has none.
        package let uri: String
        /// The element's name; empty for octets.
        package let element: String
        /// Its id; empty for none.
        package let id: String
        /// Where the element stands: the names from the root down; empty for octets.
        package let path: String
        /// The length of what the digest was taken of, in bytes: of an element's canonical form.
        package let canonicalByteCount: Int
        /// True where nothing of the document is left out but the signature and comments.
        package let isWholeDocument: Bool
        /// True where the octets are a canonical form, in which comments do not stand.
        package let leavesOutComments: Bool

        /// The octets of content that a signature of another format covers.
        static func octets(count: Int, isWhole: Bool) -> Coverage {
            Coverage(
                kind: .octets, uri: "", element: "", id: "", path: "", canonicalByteCount: count,
                isWholeDocument: isWhole, leavesOutComments: false)
        }
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
    /// What is worth knowing and keeps nothing from passing.
    package internal(set) var remarks: [Remark] = []
    /// Digests, signature value and the binding of the certificate hold; says nothing of trust.
    package internal(set) var isCryptographicallyGood = false
    /// What the signature is over, one for each Reference to data; empty where the cryptography does not hold.
    package internal(set) var covered: [Coverage] = []
    package internal(set) var signer: Signer?
    /// What the signer says; nothing proves it.
    package internal(set) var claimedSigningTime: Instant?
    /// The earliest moment at which the signature is proven to have existed, by a time stamp that is trusted.
    package internal(set) var provenSigningTime: Instant?
    package internal(set) var timeStamps: [TimeStampReport] = []
    /// Subjects from the signer to the trusted anchor; empty where no path holds.
    package internal(set) var path: [String] = []
    /// What the certificates of the path were found not revoked by.
    package internal(set) var revocation: [RevocationSource] = []
    /// What the signature holds, whoever is trusted; nil where the cryptography does not hold.
    package internal(set) var level: SignatureLevel?
    /// The identifiers of signature, digest and canonicalisation algorithms met.
    package internal(set) var algorithms: [String] = []
    /// Names of unsigned properties that were not looked at.
    package internal(set) var notExamined: [String] = []

    init(kind: Kind) {
        self.kind = kind
    }

    /// The first of what is covered: in a known form the only one.
    package var coverage: Coverage? { covered.first }

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

/// Something worth knowing of a signature that passes.
package struct Remark: Sendable, Hashable, Codable {
    /// A stable code in kebab-case.
    package let reason: String
    package let sentence: String
}

/// The judgement on one time stamp.
package struct TimeStampReport: Sendable, Hashable {
    /// What a time stamp is of.
    package enum Kind: String, Sendable, Hashable, Codable {
        /// The signature's value.
        case signature
        /// The signature with everything that was added before.
        case archive
    }

    package let kind: Kind
    /// What the token states; proven only where the indication is passed.
    package internal(set) var time: Instant?
    /// The authority's name, as its certificate says.
    package internal(set) var authority: String?
    /// The policy under which the authority made it, dotted.
    package internal(set) var policy: String?
    /// Subjects from the authority to the trusted anchor; empty where no path holds.
    package internal(set) var path: [String] = []
    /// Whether the token's imprint is that of this signature.
    package internal(set) var isOfSignature = false
    /// False where the token itself is bad, whoever may be trusted.
    package internal(set) var isTrueToItself = true
    package internal(set) var findings: [Finding] = []

    init(kind: Kind) {
        self.kind = kind
    }

    /// Passed only where the time is proven.
    package var indication: Indication {
        if findings.contains(where: { $0.indication == .totalFailed }) { return .totalFailed }
        return findings.isEmpty && isOfSignature ? .totalPassed : .indeterminate
    }

    /// The first finding that is as bad as the indication.
    package var subIndication: SubIndication? { findings.first { $0.indication == indication }?.subIndication }
}

/// A list or answer by which one certificate of a path was found not revoked.
package struct RevocationSource: Sendable, Hashable {
    /// How it was told.
    package enum Kind: String, Sendable, Hashable, Codable {
        case crl = "CRL"
        case ocsp = "OCSP"
    }

    package let kind: Kind
    /// The subject of the certificate that it tells of.
    package let certificate: String
    package let issuer: String
    package let thisUpdate: Instant
    package let nextUpdate: Instant?
    /// Whether it came with the signature, and not from configuration.
    package let isEmbedded: Bool
}

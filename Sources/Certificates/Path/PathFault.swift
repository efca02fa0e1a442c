package import HPKI

/// Which certificate of a path a fault is about.
package enum PathMember: Sendable, Hashable {
    /// The certificate that was to be judged.
    case leaf
    /// An authority above it, by its name.
    case authority(String)

    /// The words that sentences about it begin with.
    package var text: String {
        switch self {
        case .leaf: "The certificate"
        case .authority(let name): "The certificate of the authority \(name)"
        }
    }
}

/// Why a certificate was not found valid.
package enum PathFault: Error, Sendable, Hashable {
    case expired(PathMember, notAfter: Instant)
    case notYetValid(PathMember, notBefore: Instant)
    case noPathToAnchor
    case badSignature(PathMember)
    /// Signed by an algorithm that is not accepted, such as one over SHA-1, so nothing is known.
    case signatureAlgorithm(PathMember)
    case revoked(PathMember, at: Instant, reason: RevocationReason?)
    /// Revoked after the moment asked about; without proof of that moment nothing follows (EN 319 102-1 §5.5).
    case revokedLater(PathMember, at: Instant, reason: RevocationReason?)
    /// No CRL of the issuer is at hand.
    case revocationUnknown(PathMember)
    /// The issuer's CRL was to be replaced before the moment asked about.
    case crlStale(PathMember, nextUpdate: Instant?)
    /// The CRL is newer than the certificate's end, and authorities drop expired entries.
    case crlAfterExpiry(PathMember, thisUpdate: Instant)
    case keyUsage(found: KeyUsage?, required: KeyUsage)
    case extendedKeyUsage(found: [String])
    case policyMissing(found: [String])
    /// The certificate to be judged is itself an authority's.
    case leafIsAuthority
    /// The issuer's certificate does not make it an authority.
    case basicConstraints(PathMember)
    /// The issuer's certificate does not allow its key to sign certificates.
    case keyCertSignMissing(PathMember)
    case pathTooLong(PathMember, allowed: Int)
    case unknownCriticalExtension(PathMember, oid: String)
    /// A limit on names of a form that is not understood, so nothing is known.
    case unappliedConstraint(PathMember, oid: String)
    /// An authority above does not permit this name to the certificate.
    case nameNotPermitted(PathMember, name: String)
    /// No policy is valid along the whole path, and an authority of it or the caller asks for one.
    case policyNotValid
    /// The authority's certificate has purposes, and the required one is not among them.
    case purposeNotAllowed(PathMember, found: [String])
    /// An RSA key is shorter than required.
    case weakKey(PathMember, bits: Int, required: Int)
    /// More candidate paths, or more names with limits on them, than will be tried.
    case tooComplex

    /// True where the certificate is certainly not good; false where more or newer data could still show it good.
    package var isConclusive: Bool {
        switch self {
        case .noPathToAnchor, .revokedLater, .revocationUnknown, .crlStale, .crlAfterExpiry, .unappliedConstraint,
            .tooComplex, .signatureAlgorithm:
            false
        case .expired, .notYetValid, .badSignature, .revoked, .keyUsage, .extendedKeyUsage, .policyMissing,
            .leafIsAuthority, .basicConstraints, .keyCertSignMissing, .pathTooLong, .unknownCriticalExtension,
            .nameNotPermitted, .policyNotValid, .purposeNotAllowed, .weakKey:
            true
        }
    }

    /// One sentence in plain words.
    package var explanation: String {
        switch self {
        case .expired(let member, let notAfter): "\(member.text) expired at \(Self.text(notAfter))."
        case .notYetValid(let member, let notBefore): "\(member.text) is valid only from \(Self.text(notBefore))."
        case .noPathToAnchor: "No trusted authority issued the certificate."
        case .badSignature(let member): "\(member.text) does not carry its issuer's signature."
        case .signatureAlgorithm(let member): "\(member.text) is signed by an algorithm that is not accepted."
        case .revoked(let member, let at, let reason):
            "\(member.text) was revoked at \(Self.text(at))\(Self.text(reason))."
        case .revokedLater(let member, let at, let reason):
            "\(member.text) was revoked at \(Self.text(at))\(Self.text(reason)); nothing proves an earlier signature."
        case .revocationUnknown(let member): "\(member.text) may be revoked: its issuer's CRL is not at hand."
        case .crlStale(let member, let nextUpdate):
            "\(member.text) may be revoked: its issuer's CRL "
                + (nextUpdate.map { "was to be replaced at \(Self.text($0))." } ?? "does not say when it ends.")
        case .crlAfterExpiry(let member, let thisUpdate):
            "\(member.text) had expired when its issuer's CRL of \(Self.text(thisUpdate)) was made."
        case .keyUsage(let found, let required):
            "The certificate's key is for \(found.map(\.text) ?? "any use"); required is \(required.text)."
        case .extendedKeyUsage(let found):
            "The certificate's extended key usage (\(found.joined(separator: ", "))) is not the required one."
        case .policyMissing(let found):
            "The certificate's policy (\(found.isEmpty ? "none" : found.joined(separator: ", "))) is not accepted."
        case .leafIsAuthority: "The certificate is an authority's, not a holder's."
        case .basicConstraints(let member): "\(member.text) does not allow it to issue certificates."
        case .keyCertSignMissing(let member): "\(member.text) does not allow its key to sign certificates."
        case .pathTooLong(let member, let allowed):
            "\(member.text) allows \(allowed) authorities below it; there are more."
        case .unknownCriticalExtension(let member, let oid):
            "\(member.text) has the critical extension \(oid), which is not understood."
        case .unappliedConstraint(let member, let oid):
            "\(member.text) has a name of a form that the extension \(oid) limits and that is not understood."
        case .nameNotPermitted(let member, let name):
            "\(member.text) has a name that an authority above it does not permit: \(name)."
        case .policyNotValid: "No certificate policy is valid along the whole path, and one is required."
        case .purposeNotAllowed(let member, let found):
            "\(member.text) is for other purposes (\(found.joined(separator: ", "))) than the required one."
        case .weakKey(let member, let bits, let required):
            "\(member.text) has an RSA key of \(bits) bits; required are \(required)."
        case .tooComplex: "There are too many possible paths to a trusted authority, or names on them, to judge all."
        }
    }

    private static func text(_ instant: Instant) -> String { instant.rfc3339 ?? "an unknown time" }
    private static func text(_ reason: RevocationReason?) -> String { reason.map { " (\($0.name))" } ?? "" }
}

package import HPKI

/// A certificate revocation list, read strictly from its DER (RFC 5280 §5), kept as its bytes and a sorted index.
///
/// The index costs four bytes an entry; every entry has been checked when the list exists.
package struct CertificateRevocationList: Sendable {
    /// The most bytes a list may have.
    package static let byteLimit = 64 << 20

    /// Whose certificates the list covers.
    package enum Scope: Sendable, Hashable {
        case all
        case userCertificates
        case caCertificates
    }

    /// One revoked certificate.
    package struct Entry: Sendable, Hashable {
        /// The contents octets of the serial number's INTEGER.
        package let serialNumber: [UInt8]
        package let revokedAt: Instant
        /// Nil where the list gives none.
        package let reason: RevocationReason?

        /// An entry for a list that is to be made.
        package init(serialNumber: [UInt8], revokedAt: Instant, reason: RevocationReason?) {
            self.serialNumber = serialNumber
            self.revokedAt = revokedAt
            self.reason = reason
        }
    }

    /// The bytes as they were given.
    package let der: [UInt8]
    package let issuer: DistinguishedName
    package let thisUpdate: Instant
    /// When the next list comes at the latest; a list without it is never fresh.
    package let nextUpdate: Instant?
    /// The big-endian magnitude of CRLNumber without leading zeros, where it is given.
    package let number: [UInt8]?
    package let authorityKeyIdentifier: [UInt8]?
    package private(set) var scope: Scope = .all
    /// The places that a critical issuingDistributionPoint names; empty for none.
    package private(set) var distributionPoints: [GeneralName] = []
    /// The reasons of revocation that the list speaks for.
    package private(set) var reasons: ReasonFlags = .all
    /// True where entries may be of other authorities' certificates.
    package private(set) var isIndirect = false
    /// Of a list of changes, the number of the complete list that they begin at; nil for a complete list.
    package let baseNumber: [UInt8]?
    private let frame: SignedStructure
    /// Where each entry starts in `der`, in the order of the serial numbers.
    private let index: [UInt32]
    /// Where entries start that name the authority of their certificate and of those behind (RFC 5280 §5.3.3).
    ///
    /// In the order of `der`; empty but for indirect lists.
    private let issuerRuns: [UInt32]

    /// Reads one list; throws `.tooLarge`, `.malformed`, `.unknownCriticalExtension` or `.unsupportedScope`.
    package init(der: [UInt8]) throws(CRLError) {
        guard der.count <= Self.byteLimit else { throw .tooLarge }
        var extensionList: DERReader?
        do throws(DERError) {
            frame = try SignedStructure(der: der[...])
            var fields = try DERReader.whole(frame.toBeSigned).children
            // Version 2 (written as 1): version 1 has no extensions, hence neither key identifier nor number.
            guard try fields.next(.integer).smallInteger() == 1 else { throw .invalidValue }
            guard try fields.next(.sequence).encoded == frame.algorithm else { throw .invalidValue }
            issuer = try DistinguishedName(der: try fields.next(.sequence).encoded)
            thisUpdate = try fields.next().time()
            if let next = try fields.optional(.utcTime) {
                nextUpdate = try next.time()
            } else {
                nextUpdate = try fields.optional(.generalizedTime)?.time()
            }
            var entries = try fields.enterOptional(.sequence)
            extensionList = try fields.enterOptional(.context(0))
            try fields.end()
            (index, issuerRuns) = try Self.readIndex(&entries, in: der)
        } catch {
            throw .malformed(error, field: "tbsCertList")
        }
        self.der = der
        let extensions = try CRLExtensions(extensionList, issuer: issuer)
        number = extensions.number
        baseNumber = extensions.baseNumber
        authorityKeyIdentifier = extensions.authorityKeyIdentifier
        if let point = extensions.distributionPoint {
            scope = point.scope
            distributionPoints = point.names
            reasons = point.reasons
            isIndirect = point.isIndirect
        }
        // RFC 5280 §5.3.3: only an indirect list has entries of other authorities.
        guard isIndirect || issuerRuns.isEmpty else { throw .malformed(.unexpectedTag, field: "tbsCertList") }
    }

    /// How many certificates are revoked.
    package var count: Int { index.count }

    /// The entry of the certificate with this serial number (contents octets of the INTEGER), or nil.
    ///
    /// Certificates of the list's own issuer are meant, unless an indirect list is asked about another one.
    package func entry(for serialNumber: [UInt8], issuedBy authority: DistinguishedName? = nil) -> Entry? {
        guard isIndirect || authority == nil || authority == issuer else { return nil }
        let wanted = serialNumber[...]
        var low = 0
        var high = index.count
        while low < high {
            let middle = low + (high - low) / 2
            guard let serial = Self.serial(at: index[middle], in: der) else { return nil }
            if Self.precedes(serial, wanted) { low = middle + 1 } else { high = middle }
        }
        while low < index.count, Self.serial(at: index[low], in: der) == wanted {
            if !isIndirect || issuerOfEntry(at: index[low]) == authority ?? issuer { return entry(at: low) }
            low += 1
        }
        return nil
    }

    private func issuerOfEntry(at offset: UInt32) -> DistinguishedName? {
        var low = 0
        var high = issuerRuns.count
        while low < high {
            let middle = low + (high - low) / 2
            if issuerRuns[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? issuer : Self.namedIssuer(at: issuerRuns[low - 1], in: der)
    }

    /// The entry at a place in the order of serial numbers, from 0; nil beyond the last.
    package func entry(at place: Int) -> Entry? {
        guard index.indices.contains(place) else { return nil }
        // The entry was read once already, when the index was made.
        var reader = DERReader(der[Int(index[place])...])
        return try? Self.readEntry(&reader)
    }

    /// True where the certificate with this serial number has an entry.
    package func isRevoked(_ serialNumber: [UInt8]) -> Bool { entry(for: serialNumber) != nil }

    /// Every entry, read one at a time; no particular order.
    package var entries: some Sequence<Entry> {
        index.lazy.compactMap { offset in
            var reader = DERReader(der[Int(offset)...])
            return try? Self.readEntry(&reader)
        }
    }

    /// The entries of those holders' certificates, named by issuer and serial number, that this list revokes.
    ///
    /// The list's signature is the caller's to check. An entry with `certificateHold` may be taken back later.
    package func revoked<ID>(
        among certificates: some Sequence<(id: ID, issuer: DistinguishedName, serialNumber: [UInt8])>
    ) -> [(id: ID, entry: Entry)] {
        guard scope != .caCertificates else { return [] }
        return certificates.compactMap { certificate in
            // What an indirect list says of others counts where their certificates name its issuer, not here.
            guard certificate.issuer == issuer, let entry = entry(for: certificate.serialNumber),
                entry.reason != .removeFromCRL
            else { return nil }
            return (certificate.id, entry)
        }
    }

    /// Checks the list's signature with the key of its would-be issuer, and nothing else.
    package func verifySignature(by issuer: VerificationKey) throws(SignatureError) {
        try frame.verify(by: issuer)
    }

    /// True where the list alone tells of certificates of this kind and place (RFC 5280 §6.3.3 (b)).
    package func covers(_ certificate: HPKICertificate) -> Bool {
        guard baseNumber == nil, reasons == .all, speaksFor(certificate) else { return false }
        // A list that names its places is for certificates that name one of them.
        return distributionPoints.isEmpty
            || !Set(distributionPoints).isDisjoint(with: certificate.extensions.crlDistributionPoints)
    }

    /// Bytes that tell one publication of an issuer from its others; empty for its only one.
    package var series: [UInt8] {
        let isOnly = scope == .all && reasons == .all && !isIndirect && baseNumber == nil && distributionPoints.isEmpty
        return isOnly
            ? [] : Array("\(scope) \(reasons) \(isIndirect) \(baseNumber != nil) \(distributionPoints)".utf8)
    }

    /// True where the list is for certificates of this kind, holders' or authorities'.
    func speaksFor(_ certificate: HPKICertificate) -> Bool {
        scope == .all || (scope == .caCertificates) == certificate.isCA
    }

    /// True where both lists are issues of one publication, of which the newest counts.
    func isSameSeries(as other: CertificateRevocationList) -> Bool {
        (baseNumber == nil) == (other.baseNumber == nil) && isSameScope(as: other)
    }

    /// True where both lists speak for the same certificates and reasons.
    func isSameScope(as other: CertificateRevocationList) -> Bool {
        scope == other.scope && reasons == other.reasons && isIndirect == other.isIndirect
            && Set(distributionPoints) == Set(other.distributionPoints)
    }

    /// True where this list of changes may be laid over `complete` (RFC 5280 §5.2.4, §6.3.3 (c)).
    func applies(to complete: CertificateRevocationList) -> Bool {
        guard let baseNumber, let number, let held = complete.number, complete.baseNumber == nil else { return false }
        return issuer == complete.issuer && isSameScope(as: complete)
            && authorityKeyIdentifier == complete.authorityKeyIdentifier
            && !Self.isLess(held, baseNumber) && Self.isLess(held, number)
    }

    private static func isLess(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count ? left.lexicographicallyPrecedes(right) : left.count < right.count
    }

    /// True where this list is to replace `other` of the same issuer and scope: by CRLNumber, then by thisUpdate.
    package func isNewer(than other: CertificateRevocationList) -> Bool {
        if let number, let older = other.number, number != older { return Self.isLess(older, number) }
        return thisUpdate > other.thisUpdate
    }

    /// Reads the lists of a file: one in DER, or one or more PEM blocks.
    package static func read(file: [UInt8]) throws(CRLError) -> [CertificateRevocationList] {
        guard file.first != DERTag.sequence.identifier else { return [try CertificateRevocationList(der: file)] }
        guard let blocks = PEM.decode(file, label: PEM.crlLabel), !blocks.isEmpty else { throw .invalidPEM }
        var lists: [CertificateRevocationList] = []
        for block in blocks { lists.append(try CertificateRevocationList(der: block)) }
        return lists
    }
}

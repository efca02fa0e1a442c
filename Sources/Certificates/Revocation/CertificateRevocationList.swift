package import HPKI

/// A full certificate revocation list, read strictly from its DER (RFC 5280 §5), kept as its bytes and a sorted index.
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
    package private(set) var number: [UInt8]?
    package private(set) var authorityKeyIdentifier: [UInt8]?
    package private(set) var scope: Scope = .all
    /// The places that a critical issuingDistributionPoint names; empty for none.
    package private(set) var distributionPoints: [GeneralName] = []
    private let frame: SignedStructure
    /// Where each entry starts in `der`, in the order of the serial numbers.
    private let index: [UInt32]

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
            index = try Self.readIndex(&entries, in: der)
        } catch {
            throw .malformed(error, field: "tbsCertList")
        }
        self.der = der
        try takeExtensions(&extensionList)
    }

    /// How many certificates are revoked.
    package var count: Int { index.count }

    /// The entry of the certificate with this serial number (contents octets of the INTEGER), or nil.
    package func entry(for serialNumber: [UInt8]) -> Entry? {
        let wanted = serialNumber[...]
        var low = 0
        var high = index.count
        while low < high {
            let middle = low + (high - low) / 2
            guard let serial = Self.serial(at: index[middle], in: der) else { return nil }
            if Self.precedes(serial, wanted) { low = middle + 1 } else { high = middle }
        }
        guard low < index.count, Self.serial(at: index[low], in: der) == wanted else { return nil }
        var reader = DERReader(der[Int(index[low])...])
        // The entry was read once already, when the index was made.
        return try? Self.readEntry(&reader)
    }

    /// The entry at a place in the order of serial numbers, from 0; nil beyond the last.
    package func entry(at place: Int) -> Entry? {
        guard index.indices.contains(place) else { return nil }
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
            guard certificate.issuer == issuer else { return nil }
            return entry(for: certificate.serialNumber).map { (certificate.id, $0) }
        }
    }

    /// Checks the list's signature with the key of its would-be issuer, and nothing else.
    package func verifySignature(by issuer: VerificationKey) throws(SignatureError) {
        try frame.verify(by: issuer)
    }

    /// True where the list speaks for certificates of this kind and place (RFC 5280 §6.3.3 (b)).
    package func covers(_ certificate: HPKICertificate) -> Bool {
        guard scope == .all || (scope == .caCertificates) == certificate.isCA else { return false }
        // A list that names its places is for certificates that name one of them.
        return distributionPoints.isEmpty
            || !Set(distributionPoints).isDisjoint(with: certificate.extensions.crlDistributionPoints)
    }

    /// Bytes that tell one publication of an issuer from its others; empty for its only one.
    package var series: [UInt8] {
        scope == .all && distributionPoints.isEmpty ? [] : Array("\(scope) \(distributionPoints)".utf8)
    }

    /// True where both lists are issues of one publication, of which the newest counts.
    func isSameSeries(as other: CertificateRevocationList) -> Bool {
        scope == other.scope && Set(distributionPoints) == Set(other.distributionPoints)
    }

    /// True where this list is to replace `other` of the same issuer and scope: by CRLNumber, then by thisUpdate.
    package func isNewer(than other: CertificateRevocationList) -> Bool {
        if let number, let older = other.number, number != older {
            return number.count != older.count
                ? number.count > older.count : older.lexicographicallyPrecedes(number)
        }
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

// MARK: Entries

extension CertificateRevocationList {
    private static func readIndex(_ entries: inout DERReader?, in der: [UInt8]) throws(DERError) -> [UInt32] {
        guard var rest = entries else { return [] }
        var index: [UInt32] = []
        var isSorted = true
        var previous: ArraySlice<UInt8> = []
        while !rest.isAtEnd {
            let element = try rest.next(.sequence)
            let serial = try checkEntry(element)
            isSorted = isSorted && !precedes(serial, previous)
            previous = serial
            index.append(UInt32(element.encoded.startIndex))
        }
        guard !isSorted else { return index }
        // Nearly every pair is told apart by the length and the first octets, without reading the entries again.
        let keyed = index.map { (key: sortKey(of: serial(at: $0, in: der) ?? []), offset: $0) }
        return keyed.sorted { left, right in
            if left.key != right.key { return left.key < right.key }
            guard let first = serial(at: left.offset, in: der), let second = serial(at: right.offset, in: der),
                first != second
            else { return left.offset < right.offset }
            return precedes(first, second)
        }.map(\.offset)
    }

    /// The length and the first seven octets, in the order of `precedes`.
    private static func sortKey(of serial: ArraySlice<UInt8>) -> UInt64 {
        var key = UInt64(serial.count) << 56
        for (index, octet) in serial.prefix(7).enumerated() { key |= UInt64(octet) << UInt64(48 - 8 * index) }
        return key
    }

    private static func checkEntry(_ element: DERElement) throws(DERError) -> ArraySlice<UInt8> {
        var fields = element.children
        let serial = try fields.next(.integer).integer()
        guard serial.count <= 64 else { throw .invalidValue }
        _ = try fields.next().time()
        _ = try readReason(&fields)
        return serial
    }

    private static func readEntry(_ reader: inout DERReader) throws(DERError) -> Entry {
        var fields = try reader.enter()
        let serial = try fields.next(.integer).integer()
        let date = try fields.next().time()
        return Entry(serialNumber: Array(serial), revokedAt: date, reason: try readReason(&fields))
    }

    private static func readReason(_ fields: inout DERReader) throws(DERError) -> RevocationReason? {
        guard !fields.isAtEnd else { return nil }
        var reason: RevocationReason?
        for item in try ExtensionValue.readList(&fields, atMost: 16) {
            if item.oid == OID.reasonCode {
                let code = try DERReader.whole(item.value, .enumerated).smallInteger()
                guard let known = UInt8(exactly: code).flatMap(RevocationReason.init(rawValue:)) else {
                    throw .invalidValue
                }
                reason = known
            } else if item.isCritical {
                // A certificateIssuer would make the entry another authority's (RFC 5280 §5.3.3).
                throw .unexpectedTag
            }
        }
        try fields.end()
        return reason
    }

    /// The serial number's octets of the entry at this offset, whose lengths were checked before.
    private static func serial(at offset: UInt32, in der: [UInt8]) -> ArraySlice<UInt8>? {
        var reader = DERReader(der[Int(offset)...])
        guard var fields = try? reader.enter() else { return nil }
        return try? fields.next(.integer).contents
    }

    /// Shorter first, then by octets: any total order will do for searching.
    private static func precedes(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
        left.count == right.count ? left.lexicographicallyPrecedes(right) : left.count < right.count
    }
}

// MARK: Extensions

extension CertificateRevocationList {
    private mutating func takeExtensions(_ explicit: inout DERReader?) throws(CRLError) {
        guard var list = explicit else { return }
        var found: [ExtensionValue] = []
        do throws(DERError) {
            found = try ExtensionValue.readList(&list, atMost: 32)
            try list.end()
        } catch {
            throw .malformed(error, field: "crlExtensions")
        }
        var seen: Set<String> = []
        for item in found {
            guard seen.insert(item.oid).inserted else { throw .malformed(.tooMany, field: "extension \(item.oid)") }
            var isSupported = true
            do throws(DERError) {
                switch item.oid {
                case OID.cRLNumber:
                    let octets = try DERReader.whole(item.value, .integer).integer()
                    guard octets.count <= 64, octets.first.map({ $0 < 0x80 }) == true else { throw .invalidValue }
                    number = Array(octets.drop { $0 == 0 })
                case OID.authorityKeyIdentifier:
                    authorityKeyIdentifier = try CertificateExtensions.keyIdentifier(
                        inAuthorityKeyIdentifier: item.value)
                case OID.issuingDistributionPoint:
                    isSupported = try takeIssuingDistributionPoint(item.value)
                default:
                    if item.isCritical { throw .unexpectedTag }
                }
            } catch .unexpectedTag where item.isCritical && item.oid != OID.issuingDistributionPoint {
                throw .unknownCriticalExtension(item.oid)
            } catch {
                throw .malformed(error, field: "extension \(item.oid)")
            }
            guard isSupported else { throw .unsupportedScope }
        }
    }

    /// Reads the scope (RFC 5280 §5.2.5); false where it is one that this project does not use.
    private mutating func takeIssuingDistributionPoint(_ der: ArraySlice<UInt8>) throws(DERError) -> Bool {
        var fields = try DERReader.whole(der).children
        var isSupported = true
        if var place = try fields.enterOptional(.context(0)) {
            if var fullName = try place.enterOptional(.context(0)) {
                distributionPoints = try GeneralName.readList(&fullName)
            } else {
                isSupported = false
            }
        }
        var flags: [UInt8: Bool] = [:]
        for number: UInt8 in 1...5 {
            guard let element = try fields.optional(.contextPrimitive(number)) else { continue }
            // [3] onlySomeReasons is a BIT STRING; the others are BOOLEAN, whose FALSE is left out.
            flags[number] = number == 3 ? true : try element.boolean()
            guard flags[number] == true else { throw .invalidValue }
        }
        try fields.end()
        let users = flags[1] != nil
        let authorities = flags[2] != nil
        if users { scope = .userCertificates }
        if authorities { scope = .caCertificates }
        return isSupported && !(users && authorities) && flags[3] == nil && flags[4] == nil && flags[5] == nil
    }
}

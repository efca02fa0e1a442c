package import HPKI

/// What a time-stamping authority states and signs, read strictly from its DER (RFC 3161 §2.4.2).
package struct TSTInfo: Sendable, Hashable {
    /// The policy under which the time stamp was made, dotted.
    package let policy: String
    /// The digest of the data that existed at the time.
    package let imprint: Digest
    /// The contents octets of the serial number's INTEGER; unique for one authority, at most 160 bits.
    package let serialNumber: [UInt8]
    /// The time, cut down to whole milliseconds where the authority gives more.
    package let genTime: Instant
    /// True where something was cut off.
    package let isGenTimeCut: Bool
    /// By how much the time may be off, either way; nil where the authority does not say.
    package let accuracyMicroseconds: Int64?
    /// True where the order of this authority's time stamps is the order of their times, whatever the accuracy.
    package let isOrdered: Bool
    /// The contents octets of the nonce's INTEGER, as the request gave it.
    package let nonce: [UInt8]?
    /// The authority by name, where it is given.
    package let authority: GeneralName?

    /// Reads one TSTInfo; throws `.malformed`, `.unsupportedAlgorithm` or `.unknownCriticalExtension`.
    package init(der: ArraySlice<UInt8>) throws(TimeStampFault) {
        let function: HashIdentifier
        let hashedMessage: [UInt8]
        var extensions: [ExtensionValue] = []
        do throws(DERError) {
            var fields = try DERReader.whole(der).children
            guard try fields.next(.integer).smallInteger() == 1 else { throw .invalidValue }
            policy = try fields.next(.objectIdentifier).objectIdentifier()
            var imprint = try fields.enter()
            function = try HashIdentifier(reading: &imprint)
            hashedMessage = Array(try imprint.next(.octetString).contents)
            try imprint.end()
            serialNumber = Array(try fields.next(.integer).integer())
            // One octet more for the sign of a number of 160 bits.
            guard serialNumber.count <= 21 else { throw .invalidValue }
            (genTime, isGenTimeCut) = try fields.next(.generalizedTime).preciseTime()
            accuracyMicroseconds = try fields.enterOptional(.sequence).map(Self.readAccuracy)
            // FALSE is the default, which DER leaves out; the e-prescription service's own authority writes it.
            isOrdered = try fields.optional(.boolean)?.boolean() ?? false
            nonce = try fields.optional(.integer).map(Self.readNonce)
            authority = try fields.enterOptional(.context(0)).map(Self.readName)
            if let implicit = try fields.optional(.context(1)) {
                var list = DERReader(DER.value(.sequence, implicit.contents))
                extensions = try ExtensionValue.readList(&list, atMost: 16)
            }
            try fields.end()
        } catch {
            throw .malformed(error, field: "TSTInfo")
        }
        guard let algorithm = function.algorithm else { throw .unsupportedAlgorithm(function.oid) }
        guard let digest = Digest(algorithm: algorithm, bytes: hashedMessage) else {
            throw .malformed(.invalidValue, field: "messageImprint")
        }
        if let unknown = extensions.first(where: \.isCritical) { throw .unknownCriticalExtension(unknown.oid) }
        imprint = digest
    }

    /// `Accuracy ::= SEQUENCE { seconds INTEGER, millis [0] INTEGER (1..999), micros [1] INTEGER (1..999) }`, each of
    /// which may be left out.
    private static func readAccuracy(_ fields: DERReader) throws(DERError) -> Int64 {
        var fields = fields
        var total =
            try fields.optional(.integer).map { element throws(DERError) in
                Int64(try element.smallInteger()) * 1_000_000
            } ?? 0
        for (number, factor) in [(UInt8(0), Int64(1000)), (1, 1)] {
            guard let element = try fields.optional(.contextPrimitive(number)) else { continue }
            let part = try element.smallInteger()
            guard (1...999).contains(part) else { throw .invalidValue }
            total += Int64(part) * factor
        }
        try fields.end()
        return total
    }

    private static func readNonce(_ element: DERElement) throws(DERError) -> [UInt8] {
        let octets = try element.integer()
        guard octets.count <= 64 else { throw .invalidValue }
        return Array(octets)
    }

    private static func readName(_ explicit: DERReader) throws(DERError) -> GeneralName {
        var explicit = explicit
        let name = try GeneralName(try explicit.next())
        try explicit.end()
        return name
    }
}

extension DERElement {
    /// A GeneralizedTime with or without a fraction of a second, cut down to milliseconds, and whether more was given.
    ///
    /// No zero ends the fraction, which has at most nine digits here (RFC 3161 §2.4.2, X.690 §11.7).
    func preciseTime() throws(DERError) -> (Instant, isCut: Bool) {
        let zulu = UInt8(ascii: "Z")
        guard tag == .generalizedTime, contents.count >= 15, contents.last == zulu else { throw .invalidValue }
        let whole = DERElement(tag: tag, contents: contents.prefix(14) + [zulu], encoded: [])
        let second = try whole.time()
        let fraction = contents.dropFirst(14).dropLast()
        guard let point = fraction.first else { return (second, false) }
        let digits = fraction.dropFirst()
        guard point == UInt8(ascii: "."), (1...9).contains(digits.count), digits.last != UInt8(ascii: "0"),
            digits.allSatisfy({ (0x30...0x39).contains($0) })
        else { throw .invalidValue }
        let padded = digits.map { Int64($0 - 0x30) } + [Int64](repeating: 0, count: 9 - digits.count)
        let nanoseconds = padded.reduce(0) { $0 * 10 + $1 }
        let milliseconds = second.milliseconds + nanoseconds / 1_000_000
        return (Instant(milliseconds: milliseconds), nanoseconds % 1_000_000 != 0)
    }
}

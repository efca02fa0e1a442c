import Certificates
import HPKI
import Testing

/// The TSTInfo field by field.
@Suite struct TSTInfoTests {
    private let imprint = Digest(of: [1, 2, 3], by: .sha384)

    private func info(
        time: String = "20260921120000Z", version: UInt64 = 1, serial: [UInt8] = [7], _ rest: [UInt8]...
    ) throws(TimeStampFault) -> TSTInfo {
        try TSTInfo(
            der: DER.sequence(
                of: [
                    DER.integer(version), DER.objectIdentifier("1.2.3"), imprint.messageImprint, DER.integer(serial),
                    DER.value(.generalizedTime, Array(time.utf8)),
                ] + rest)[...])
    }

    @Test func `fractions of a second are cut to milliseconds`() throws {
        let whole = try info().genTime
        for (text, milliseconds, isCut) in [
            ("20260921120000.5Z", 500, false), ("20260921120000.123Z", 123, false),
            ("20260921120000.1234Z", 123, true), ("20260921120000.000000001Z", 0, true),
        ] {
            let read = try info(time: text)
            #expect(read.genTime.milliseconds - whole.milliseconds == milliseconds)
            #expect(read.isGenTimeCut == isCut)
        }
    }

    @Test(arguments: [
        "20260921120000.50Z", "20260921120000.Z", "20260921120000,5Z", "20260921120000.5", "20260921120000",
        "202609211200Z", "20260921120000+0900", "20260931120000Z", "20260921120060Z", "20260921120000.1234567891Z",
        "20260921120000.-1Z", "",
    ])
    func `a time in another form is refused`(_ text: String) {
        #expect(throws: TimeStampFault.malformed(.invalidValue, field: "TSTInfo")) { _ = try info(time: text) }
    }

    @Test func `accuracy is the sum of its parts`() throws {
        func part(_ number: UInt8, _ value: UInt8) -> [UInt8] { DER.value(.contextPrimitive(number), [value]) }
        #expect(try info().accuracyMicroseconds == nil)
        #expect(try info(DER.sequence()).accuracyMicroseconds == 0)
        #expect(try info(DER.sequence(DER.integer(2))).accuracyMicroseconds == 2_000_000)
        #expect(
            try info(DER.sequence(DER.integer(2), part(0, 5), part(1, 7))).accuracyMicroseconds == 2_005_007)
        #expect(try info(DER.sequence(part(1, 7))).accuracyMicroseconds == 7)
        for bad in [part(0, 0), part(1, 0xFF), part(2, 1), DER.value(.contextPrimitive(0), [0x03, 0xE8])] {
            #expect(throws: TimeStampFault.self) { _ = try info(DER.sequence(bad)) }
        }
    }

    @Test func `ordering, nonce, authority and extensions stand in their order`() throws {
        let name = DER.explicit(4, MadePath.name("TSA"))
        let plain = DER.sequence(DER.objectIdentifier("1.2.4"), DER.octetString([5, 0]))
        let critical = DER.sequence(DER.objectIdentifier("1.2.4"), DER.boolean(true), DER.octetString([5, 0]))
        let full = try info(
            DER.sequence(), DER.boolean(true), DER.integer(9), DER.explicit(0, name), DER.value(.context(1), plain))
        #expect(full.isOrdered)
        #expect(full.nonce == [9])
        #expect(full.authority?.directoryName?.commonName == "TSA")
        #expect(full.imprint == imprint)
        #expect(throws: TimeStampFault.unknownCriticalExtension("1.2.4")) {
            _ = try info(DER.value(.context(1), critical))
        }
        // The default, written out: not DER, and what the e-prescription service's authority writes.
        #expect(try !info(DER.boolean(false)).isOrdered)
        #expect(throws: TimeStampFault.malformed(.trailingBytes, field: "TSTInfo")) {
            _ = try info(DER.integer(9), DER.boolean(true))
        }
    }

    @Test func `another version, too long a number and a wrong digest are refused`() {
        #expect(throws: TimeStampFault.malformed(.invalidValue, field: "TSTInfo")) { _ = try info(version: 2) }
        #expect(throws: TimeStampFault.malformed(.invalidValue, field: "TSTInfo")) {
            _ = try info(serial: [UInt8](repeating: 1, count: 22))
        }
        let short = DER.sequence(DigestAlgorithm.sha256.identifier, DER.octetString([1]))
        let sha1 = DER.sequence(DER.sequence(DER.objectIdentifier(OID.sha1), DER.null), DER.octetString([1]))
        for (imprint, fault) in [
            (short, TimeStampFault.malformed(.invalidValue, field: "messageImprint")),
            (sha1, .unsupportedAlgorithm(OID.sha1)),
        ] {
            let der = DER.sequence(
                DER.integer(1), DER.objectIdentifier("1.2.3"), imprint, DER.integer(7),
                DER.value(.generalizedTime, Array("20260921120000Z".utf8)))
            #expect(throws: fault) { _ = try TSTInfo(der: der[...]) }
        }
    }
}

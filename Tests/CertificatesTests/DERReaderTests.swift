import Certificates
import HPKI
import Testing

@Suite struct DERReaderTests {
    private func whole(_ hex: String, _ tag: DERTag) throws -> DERElement {
        try DERReader.whole(try #require(Hex.decode(hex))[...], tag)
    }

    @Test(arguments: [
        ("30", DERError.truncated), ("3001", .truncated), ("3080", .invalidLength), ("308100", .invalidLength),
        ("30817F", .invalidLength), ("30820080", .invalidLength), ("308500000000000000", .invalidLength),
        ("3084FFFFFFFF", .truncated), ("3000FF", .trailingBytes), ("3181", .unexpectedTag),
    ])
    func `lengths that are not the one of DER are refused`(_ hex: String, _ error: DERError) throws {
        let bytes = try #require(Hex.decode(hex))
        #expect(throws: error) { _ = try DERReader.whole(bytes[...]) }
    }

    @Test func `high tag numbers are refused`() {
        var reader = DERReader([0x1F, 0x81, 0x00, 0x00])
        #expect(throws: DERError.highTagNumber) { _ = try reader.next() }
    }

    @Test func `integers must be the shortest`() throws {
        #expect(try Array(whole("020180", .integer).integer()) == [0x80])
        #expect(try Array(whole("02020080", .integer).integer()) == [0, 0x80])
        for hex in ["0200", "0202007F", "0202FF80"] {
            #expect(throws: DERError.invalidValue) { _ = try whole(hex, .integer).integer() }
        }
    }

    @Test func `booleans and bit strings have one form`() throws {
        #expect(try whole("0101FF", .boolean).boolean())
        #expect(throws: DERError.invalidValue) { _ = try whole("010101", .boolean).boolean() }
        #expect(throws: DERError.invalidValue) { _ = try whole("03020141", .bitString).bitString() }
        #expect(throws: DERError.invalidValue) { _ = try whole("030108", .bitString).bitString() }
        #expect(throws: DERError.invalidValue) { _ = try whole("030101", .bitString).bitString() }
    }

    @Test(arguments: ["1.2.392.100495.1.5.1.1.0.1", "1.0.17090.0.1", "2.5.29.15", "2.999.3", "0.9.2342"])
    func `object identifiers read back as written`(_ dotted: String) throws {
        #expect(try DERReader.whole(DER.objectIdentifier(dotted)[...], .objectIdentifier).objectIdentifier() == dotted)
    }

    @Test func `object identifiers with padding or an open end are refused`() {
        for hex in ["0600", "06028001", "06022A80", "060B2AFFFFFFFFFFFFFFFFFF7F"] {
            #expect(throws: DERError.invalidValue) { _ = try whole(hex, .objectIdentifier).objectIdentifier() }
        }
    }

    @Test func `times are read and written in the forms of RFC 5280`() throws {
        let cases: [(String, Instant?)] = [
            ("220206150000Z", Instant(year: 2022, month: 2, day: 6, hour: 15)),
            ("991231235959Z", Instant(year: 1999, month: 12, day: 31, hour: 23, minute: 59, second: 59)),
        ]
        for (text, instant) in cases {
            let der = DER.value(.utcTime, Array(text.utf8))
            let expected = try #require(instant)
            #expect(try DERReader.whole(der[...], .utcTime).time() == expected)
            #expect(DER.time(expected) == der)
        }
        let far = try #require(Instant(year: 2056, month: 1, day: 2))
        #expect(try DERReader.whole(DER.time(far)[...], .generalizedTime).time() == far)
        for bad in ["2202061500Z", "220206150000", "220230150000Z", "220206150060Z", "220206150000+", "22020615000aZ"] {
            let der = DER.value(.utcTime, Array(bad.utf8))
            #expect(throws: DERError.invalidValue) { _ = try DERReader.whole(der[...], .utcTime).time() }
        }
    }

    @Test func `a name as RFC 4514 writes it is that of no other name`() throws {
        func name(_ relatives: [[(String, String)]]) throws -> DistinguishedName {
            let sets = relatives.map { pairs in
                DER.set(
                    of: pairs.map {
                        DER.sequence(DER.objectIdentifier($0.0), DER.value(.utf8String, Array($0.1.utf8)))
                    })
            }
            return try DistinguishedName(der: DER.value(.sequence, sets.flatMap { $0 })[...])
        }
        let plain = try name([[(OID.countryName, "JP")], [(OID.organizationName, "Clinic")], [(OID.commonName, "rp")]])
        #expect(plain.rfc4514 == "CN=rp,O=Clinic,C=JP")
        let forged = try name([[(OID.countryName, "JP")], [(OID.commonName, "rp,O=Clinic")]])
        #expect(forged.rfc4514 == "CN=rp\\,O=Clinic,C=JP" && forged.rfc4514 != plain.rfc4514)
        #expect(try name([[(OID.commonName, "# a \"+;<>\\ ")]]).rfc4514 == "CN=\\# a \\\"\\+\\;\\<\\>\\\\\\ ")
        let broken = DER.sequence(
            DER.set(of: [DER.sequence(DER.objectIdentifier(OID.commonName), DER.value(.utf8String, [0xFF]))]))
        #expect(try DistinguishedName(der: broken[...]).rfc4514 == "CN=#0c01ff")
        #expect(try name([[(OID.commonName, "#0c01ff")]]).rfc4514 == "CN=\\#0c01ff")
        let both = try name([[(OID.commonName, "a"), (OID.serialNumber, "1")]])
        #expect(["CN=a+serialNumber=1", "serialNumber=1+CN=a"].contains(both.rfc4514))
    }

    @Test func `names are compared without case and superfluous spaces`() throws {
        func name(_ tag: DERTag, _ text: String) throws -> DistinguishedName {
            let value = DER.value(tag, Array(text.utf8))
            let pair = DER.sequence(DER.objectIdentifier(OID.commonName), value)
            return try DistinguishedName(der: DER.sequence(DER.set(of: [pair]))[...])
        }
        let reference = try name(.utf8String, "Example  CA")
        #expect(try reference == name(.printableString, " example ca "))
        #expect(try reference != name(.utf8String, "ExampleCA"))
        #expect(reference.text == "CN=Example  CA")
        let broken = DER.sequence(
            DER.set(of: [DER.sequence(DER.objectIdentifier(OID.commonName), DER.value(.utf8String, [0xFF]))]))
        #expect(try DistinguishedName(der: broken[...]).commonName == "#0c01ff")
        #expect(throws: DERError.self) { _ = try DistinguishedName(der: DER.sequence(DER.set(of: []))[...]) }
    }
}

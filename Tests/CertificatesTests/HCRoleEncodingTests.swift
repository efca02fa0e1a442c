import Certificates
import HPKI
import Testing

@Suite struct HCRoleEncodingTests {
    private let doctorHex =
        "303430320606288185420001312831263024A0223120A00C060A2A830886910F01060101A2100C0E4D65646963616C20446F63746F72"
    private let pharmacistHex =
        "3030302E0606288185420001312431223020A01E311CA00C060A2A830886910F01060101A20C0C0A506861726D6163697374"

    @Test func `one role is encoded to the byte as in real certificates`() throws {
        #expect(HCRoleEncoding.encode([.medicalDoctor]) == Hex.decode(doctorHex))
        #expect(HCRoleEncoding.encode([.pharmacist]) == Hex.decode(pharmacistHex))
    }

    @Test func `roles of real certificates are read`() throws {
        let doctor = try #require(Hex.decode(doctorHex))
        let pharmacist = try #require(Hex.decode(pharmacistHex))
        #expect(try HCRoleEncoding.decode(doctor[...]) == [.medicalDoctor])
        #expect(try HCRoleEncoding.decode(pharmacist[...]) == [.pharmacist])
    }

    @Test func `several roles come back in the order of the encoding`() throws {
        let roles = [HCRole("Director of Hospital"), .medicalDoctor]
        let read = try HCRoleEncoding.decode(HCRoleEncoding.encode(roles)[...])
        #expect(read == [.medicalDoctor, HCRole("Director of Hospital")])
        #expect(HCRoleEncoding.encode(roles) == HCRoleEncoding.encode(roles.reversed()))
    }

    @Test func `a role under another coding scheme is passed over`() throws {
        let bytes = try #require(Hex.decode(doctorHex.replacing("01060101A210", with: "01060102A210")))
        #expect(try HCRoleEncoding.decode(bytes[...]) == [])
    }

    @Test func `truncations and the fields not to be used are refused`() throws {
        let bytes = try #require(Hex.decode(doctorHex))
        for count in 0..<bytes.count {
            #expect(throws: DERError.self) { _ = try HCRoleEncoding.decode(bytes[..<count]) }
        }
        #expect(throws: DERError.self) { _ = try HCRoleEncoding.decode((bytes + [0])[...]) }
        let coded = DER.explicit(1, DER.value(.numericString, [0x31]))
        let scheme = DER.explicit(0, DER.objectIdentifier(OID.nationalCodingScheme))
        let text = DER.explicit(2, DER.utf8String("Medical Doctor"))
        let actor = DER.sequence(DER.explicit(0, DER.value(.set, scheme + coded + text)))
        let whole = DER.sequence(
            DER.sequence(DER.objectIdentifier(OID.healthcareActor), DER.set(of: [DER.set(of: [actor])])))
        #expect(throws: DERError.self) { _ = try HCRoleEncoding.decode(whole[...]) }
    }
}

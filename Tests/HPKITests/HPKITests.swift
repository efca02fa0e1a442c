import Foundation
import HPKI
import Testing

@Suite struct Instants {
    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    @Test func `every day from 1890 to 2110 is the day that Foundation says`() throws {
        // 2,524,521,600 s before and 4,417,977,600 s after the epoch; an odd step wanders through the day.
        var seconds: Int64 = -2_524_521_600
        while seconds < 4_417_977_600 {
            let civil = try #require(Instant(seconds: seconds).civil)
            let date = Date(timeIntervalSince1970: Double(seconds))
            let parts = Self.calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
            #expect(
                [civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second]
                    == [parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second])
            let back = Instant(
                year: civil.year, month: civil.month, day: civil.day, hour: civil.hour, minute: civil.minute,
                second: civil.second)
            #expect(back == Instant(seconds: seconds))
            seconds += 86_399
        }
    }

    @Test(arguments: [(2000, true), (2024, true), (1900, false), (2100, false), (2023, false), (1600, true)])
    func `29 February exists in leap years only`(year: Int, exists: Bool) {
        #expect((Instant(year: year, month: 2, day: 29) != nil) == exists)
    }

    @Test(arguments: [
        (2024, 0, 1, 0, 0, 0), (2024, 13, 1, 0, 0, 0), (2024, 4, 31, 0, 0, 0), (2024, 1, 0, 0, 0, 0),
        (2024, 1, 32, 0, 0, 0), (2024, 1, 1, 24, 0, 0), (2024, 1, 1, 0, 60, 0), (2024, 1, 1, 0, 0, 60),
        (-1, 1, 1, 0, 0, 0), (10_000, 1, 1, 0, 0, 0), (.max, .max, .max, .max, .max, .max),
    ])
    func `a field out of range makes no instant`(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        #expect(Instant(year: year, month: month, day: day, hour: hour, minute: minute, second: second) == nil)
    }

    @Test func `the ends of the years and of the type hold`() {
        #expect(Instant(seconds: -62_167_219_200).rfc3339 == "0000-01-01T00:00:00Z")
        #expect(Instant(seconds: -62_167_219_201).civil == nil)
        #expect(Instant(seconds: 253_402_300_799).xmlDateTime == "9999-12-31T23:59:59+00:00")
        #expect(Instant(seconds: 253_402_300_800).rfc3339 == nil)
        #expect(Instant(milliseconds: 1_795_222_800_007).rfc3339Milliseconds == "2026-11-21T01:00:00.007Z")
        #expect(Instant(milliseconds: -1).rfc3339Milliseconds == "1969-12-31T23:59:59.999Z")
        for value in [Int64.min, .min + 1, -1001, -1000, -999, -1, 0, 1, 999, 1000, .max] {
            let instant = Instant(milliseconds: value)
            #expect(instant.seconds == Int64((Decimal(value) / 1000).rounded(.down)))
            #expect(instant.wholeSecond <= instant)
        }
        #expect(Instant(seconds: .max).adding(seconds: .max).milliseconds == .max)
        #expect(Instant(seconds: .min).adding(seconds: .min).milliseconds == .min)
    }

    @Test func `the sample's signing time is written as in the sample`() {
        let instant = Instant(year: 2022, month: 9, day: 7, hour: 8, minute: 8, second: 1)
        #expect(instant?.xmlDateTime == "2022-09-07T08:08:01+00:00")
        #expect(instant?.milliseconds == 1_662_538_081_000)
    }
}

extension Decimal {
    fileprivate func rounded(_ mode: RoundingMode) -> Decimal {
        var (from, to) = (self, Decimal())
        unsafe NSDecimalRound(&to, &from, 0, mode)
        return to
    }
}

extension Int64 {
    fileprivate init(_ value: Decimal) { self = NSDecimalNumber(decimal: value).int64Value }
}

@Suite struct Encodings {
    @Test func `RFC 4648's vectors come out in each encoding`() {
        let rows = [
            ("", "", ""), ("f", "Zg==", "66"), ("fo", "Zm8=", "666f"), ("foo", "Zm9v", "666f6f"),
            ("foob", "Zm9vYg==", "666f6f62"), ("fooba", "Zm9vYmE=", "666f6f6261"),
            ("foobar", "Zm9vYmFy", "666f6f626172"),
        ]
        for (plain, base64, hex) in rows {
            let bytes = Array(plain.utf8)
            #expect(Base64.encode(bytes) == base64)
            #expect(Base64.decode(base64) == bytes)
            #expect(Base64URL.encode(bytes) == base64.replacing("=", with: ""))
            #expect(Base64URL.decode(base64.replacing("=", with: "")) == bytes)
            #expect(Hex.encode(bytes) == hex)
            #expect(Hex.decode(hex.uppercased()) == bytes)
        }
    }

    @Test(arguments: ["Zg==", "Zh", "Zm9", "Z", "+A", "/A", "Zg\n", " Zg", "Zg ", "Ｚg", "Zm8=", "====", "Zg\0", "é"])
    func `Base64URL takes no padding, white space, other alphabet, or left-over bits`(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test(arguments: ["Zg", "Zg=", "Zg===", "Z===", "Zg==\n", " Zg==", "Zm9v!", "Zm-_", "=Zg=", "Zh==", "Zg==Zg=="])
    func `Base64 takes only the canonical padded text`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func `all bytes survive every encoding at every length`() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ count) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
            #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        }
    }

    @Test(arguments: ["0", "0g", "0x00", "00 ", "００", "0\0"])
    func `Hex refuses odd counts and other characters`(text: String) {
        #expect(Hex.decode(text) == nil)
    }

    @Test func `XML white space may stand anywhere in Base64 that ignores it`() {
        #expect(Base64.decodeIgnoringWhiteSpace(Array(" Zm\r\n9v\tYg = =".utf8)) == Array("foob".utf8))
        #expect(Base64.decodeIgnoringWhiteSpace(Array("Zm9v\u{B}".utf8)) == nil)
    }
}

@Suite struct Identifiers {
    @Test(arguments: ["", "a b", "a\n", "é", "\u{7F}", String(repeating: "a", count: 65)])
    func `a holder's and a credential's name are plain and short`(text: String) {
        #expect(HolderID(text) == nil)
        #expect(CredentialID(text) == nil)
    }

    @Test func `names at their bounds are taken as they stand`() {
        #expect(HolderID("!")?.description == "!")
        #expect(HolderID(String(repeating: "~", count: 64)) != nil)
        #expect(ClientID(String(repeating: "c", count: 128)) != nil)
        #expect(ClientID(String(repeating: "c", count: 129)) == nil)
    }

    @Test func `a signature's name is 32 lower-case digits`() {
        let fresh = SignatureID(random: Random { count in [UInt8](repeating: 0xAB, count: count) })
        #expect(fresh.description == String(repeating: "ab", count: 16))
        #expect(SignatureID(fresh.description) == fresh)
        #expect(SignatureID(fresh.description.uppercased()) == nil)
        #expect(SignatureID("ab") == nil)
        #expect(SignatureID(String(repeating: "z", count: 32)) == nil)
    }
}

@Suite struct Digests {
    @Test func `FIPS 180-4's example abc has its known values`() {
        let abc = Array("abc".utf8)
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(Digest(of: abc).hex == sha256)
        #expect(Digest(of: abc, by: .sha384).hex.hasPrefix("cb00753f45a35e8bb5a03d699ac65007"))
        #expect(Digest(of: abc, by: .sha512).hex.hasPrefix("ddaf35a193617abacc417349ae204131"))
    }

    @Test(arguments: DigestAlgorithm.allCases)
    func `a digest of another length is none`(algorithm: DigestAlgorithm) {
        let count = algorithm.byteCount
        #expect(Digest(algorithm: algorithm, bytes: [UInt8](repeating: 0, count: count)) != nil)
        #expect(Digest(algorithm: algorithm, bytes: [UInt8](repeating: 0, count: count - 1)) == nil)
        #expect(Digest(algorithm: algorithm, bytes: [UInt8](repeating: 0, count: count + 1)) == nil)
    }
}

import Audit
import Foundation
import HPKI
import Storage
import Testing

@Suite struct FormatTests {
    /// Made with Python's hashlib, hmac and struct from the words of the format alone.
    private static let administration =
        "01" + "0000000000000000" + "0000019b7ca98f2e" + "0007" + "0000" + "00" + "5970f85f39cbf930cd4157978f2d2adb"
        + "0002" + "0be09e55ff345b3dea6bdaf552ba7ff2cc1f874836a9cc32f16df863590a577d57"
        + "01aac5e53da1e96637d05ea3f06136a898380d2047274ad2dfbe9bb32c2fb82ea0"
    private static let detail =
        "0002" + "0b" + "000102030405060708090a0b0c0d0e0f" + "00000013" + "646f63746f722d312072656769737465726564"
        + "01" + "101112131415161718191a1b1c1d1e1f" + "00000008" + "646f63746f722d31"
    private static let outcome =
        "01" + "0000000000000001" + "0000019b7ca98f2e" + "0002" + "0003" + "010000000000000000"
        + "00000000000000000000000000000000" + "0001"
        + "0b94e819622a8c7bcfc6acdf6c660d1238da634edfa1139404ed25b0b40a93c1dc"

    @Test func `two records have just the bytes that the format says`() async throws {
        let instance = try Instance()
        let log = try instance.log(random: counting())
        defer { log.stop() }
        try await log.recordEvent(.administration, note: "doctor-1 registered", holder: Doctor.holder)
        try await log.closeAsUnknown(intent: 0)
        let entries = try await instance.entries()
        #expect(entries.map { Hex.encode($0.leaf.bytes) } == [Self.administration, Self.outcome])
        #expect(Hex.encode(try #require(entries[0].detail).bytes) == Self.detail)
        let appended = try await instance.database().read { try AuditReader.appended(at: 1, in: $0) }
        #expect(
            Hex.encode(try #require(appended).rootHash)
                == "e8782ed3fc5ffc948631a73d9c5cf575007c347df1bef1e28fe08dba6c6d5af8")
    }

    @Test func `a leaf and a detail are read as they were written`() throws {
        let leaf = try Leaf(try #require(Hex.decode(Self.outcome)))
        #expect(leaf.sequence == 1 && leaf.kind == .outcome && leaf.code == 3 && leaf.intent == 0)
        #expect(leaf.time == Instance.start && leaf.pseudonym == Pseudonyms.none)
        #expect(leaf.commitments.map(\.field) == [.note])
        #expect(Hex.encode(leaf.bytes) == Self.outcome)
        let detail = try Detail(try #require(Hex.decode(Self.detail)))
        #expect(detail.openings.map(\.value) == ["doctor-1 registered", "doctor-1"])
        #expect(detail.openings.map(\.commitment) == (try Leaf(Hex.decode(Self.administration)!)).commitments)
        #expect(Hex.encode(detail.bytes) == Self.detail)
    }

    @Test func `a truncated or mutated record is refused or is just what it would write`() throws {
        for text in [Self.administration, Self.detail, Self.outcome] {
            let isDetail = text == Self.detail
            let bytes = try #require(Hex.decode(text))
            for count in bytes.indices {
                #expect(throws: WireError.self) {
                    if isDetail { _ = try Detail(Array(bytes[..<count])) } else { _ = try Leaf(Array(bytes[..<count])) }
                }
            }
            var taken = 0
            for index in bytes.indices {
                for bit in 0..<8 as Range<UInt8> {
                    var mutated = bytes
                    mutated[index] ^= 1 << bit
                    let written = isDetail ? (try? Detail(mutated))?.bytes : (try? Leaf(mutated))?.bytes
                    if let written {
                        taken += 1
                        #expect(written == mutated)
                    }
                }
            }
            #expect(taken > 0)
        }
    }

    @Test func `a commitment opens with its own field, salt and value and no other`() throws {
        let detail = try Detail(try #require(Hex.decode(Self.detail)))
        let commitment = detail.openings[0].commitment
        for other in [
            Self.detail.replacingOccurrences(of: "646f63746f722d3120", with: "646f63746f722d3220"),
            Self.detail.replacingOccurrences(of: "00020b00010203", with: "00020b00010204"),
            Self.detail.replacingOccurrences(of: "00020b", with: "00020a"),
        ] {
            #expect(other != Self.detail)
            let opening = try Detail(try #require(Hex.decode(other))).openings[0]
            #expect(opening.commitment != commitment)
        }
    }

    @Test func `a holder has one pseudonym a month, another each month, and none can be guessed without the key`() {
        let month = Instance.start
        let sameMonth = month.adding(seconds: 20 * 86_400)
        let nextMonth = month.adding(seconds: 40 * 86_400)
        let other = HolderID("doctor-2")!
        let names = Instance.pseudonyms
        #expect(names.pseudonym(of: Doctor.holder, at: month) == names.pseudonym(of: Doctor.holder, at: sameMonth))
        #expect(names.pseudonym(of: Doctor.holder, at: month) != names.pseudonym(of: Doctor.holder, at: nextMonth))
        #expect(names.pseudonym(of: Doctor.holder, at: month) != names.pseudonym(of: other, at: month))
        let foreign = Pseudonyms(key: [UInt8](repeating: 1, count: 32))
        #expect(names.pseudonym(of: Doctor.holder, at: month) != foreign.pseudonym(of: Doctor.holder, at: month))
    }
}

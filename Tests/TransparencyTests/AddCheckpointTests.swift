import HPKI
import Testing
import Transparency

@Suite struct AddCheckpointTests {
    private let hash = Base64.encode((0..<32).map { UInt8($0) })

    /// The body with a signed checkpoint of ours behind `head`.
    private func body(_ head: String, size: UInt64 = 9) throws -> [UInt8] {
        let signer = try #require(NoteSigner(name: "log.example", seed: [UInt8](repeating: 7, count: 32)))
        let checkpoint = Checkpoint(origin: "log.example", size: size, root: (0..<32).map { UInt8($0) })
        let note = try #require(checkpoint.signed(by: [signer], at: Instant(seconds: 0)))
        return Array("\(head)\n\(note.encoded)".utf8)
    }

    @Test func `a submission is read back as it was written`() throws {
        let bytes = try body("old 8\n\(hash)\n\(hash)\n")
        let read = try AddCheckpoint(bytes)
        #expect(read.oldSize == 8 && read.proof.count == 2 && read.checkpoint.size == 9)
        #expect(read.body == bytes)
        #expect(try AddCheckpoint(body("old 0\n")).proof.isEmpty)
        #expect(try AddCheckpoint(body("old 8\n" + String(repeating: hash + "\n", count: 63))).proof.count == 63)
    }

    @Test(arguments: [
        "", "old\n", "old 08\n", "old -1\n", "old +1\n", "Old 1\n", "old  1\n", "old 1 \n", "old 1\r\n",
        "old 18446744073709551616\n", "8\n", "old 1\nAAAA\n", "old 1\n=\n", "old 1\n\u{FF}\n",
    ])
    func `a head that is not of the format is refused`(_ head: String) throws {
        let bytes = try body(head)
        #expect(throws: TransparencyError.self) { try AddCheckpoint(bytes) }
    }

    @Test func `a proof of 64 lines, a note cut anywhere and one too long are refused`() throws {
        #expect(throws: TransparencyError.self) {
            try AddCheckpoint(body("old 8\n" + String(repeating: hash + "\n", count: 64)))
        }
        let whole = try body("old 8\n\(hash)\n")
        for end in whole.indices {
            #expect(throws: TransparencyError.self) { try AddCheckpoint(Array(whole[..<end])) }
        }
        #expect(throws: TransparencyError.self) {
            try AddCheckpoint(whole + [UInt8](repeating: 0x41, count: AddCheckpoint.longest))
        }
    }

    @Test func `a witness's answer is lines of signatures and nothing else`() throws {
        let witness = try #require(
            NoteSigner(name: "w.example", kind: .cosignature, seed: [UInt8](repeating: 9, count: 32)))
        let signature = try #require(witness.sign("a\n1\nb\n", at: Instant(seconds: 5)))
        let two = Array((signature.line + signature.line).utf8)
        #expect(try AddCheckpoint.signatures(in: two) == [signature, signature])
        for text in ["", "\n", String(signature.line.dropLast()), signature.line + "\n", "x" + signature.line, "409\n"]
        {
            #expect(throws: TransparencyError.self, "\(text)") { try AddCheckpoint.signatures(in: Array(text.utf8)) }
        }
    }
}

import HPKI
import Testing
import Transparency

@Suite struct NoteTests {
    private let seed = (0..<32).map { UInt8($0) }
    private let time = Instant(milliseconds: 1_795_222_800_000)

    private func signer(_ name: String = "log.example/2026", _ kind: NoteKey.Kind = .ed25519) throws -> NoteSigner {
        try #require(NoteSigner(name: name, kind: kind, seed: seed))
    }

    @Test func `the note of the Go checksum database's documentation verifies, and no byte of it may change`() throws {
        // A public example, on pkg.go.dev/golang.org/x/mod/sumdb/note.
        let key = try NoteKey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        let note = """
            If you think cryptography is the answer to your problem,
            then you don't know what your problem is.

            — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

            """
        let bytes = Array(note.utf8)
        #expect(try SignedNote(bytes).signers(among: [key]) == [key])
        #expect(key.text == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        for index in bytes.indices {
            var spoilt = bytes
            spoilt[index] ^= 1
            #expect(throws: TransparencyError.self, "byte \(index)") { try SignedNote(spoilt).signers(among: [key]) }
        }
    }

    @Test func `a checkpoint is read back as it was signed, by the log and by a witness`() throws {
        let (log, witness) = (try signer(), try signer("witness.example", .cosignature))
        let checkpoint = Checkpoint(origin: "log.example/2026", size: 20_852_163, root: seed)
        let note = try #require(checkpoint.signed(by: [log, witness], at: time))
        let read = try SignedNote(Array(note.encoded.utf8))
        #expect(read == note)
        #expect(try read.signers(among: [witness.key, log.key]) == [log.key, witness.key])
        #expect(try Checkpoint(read, signedBy: [log.key]) == checkpoint)
        #expect(try NoteKey(witness.key.text) == witness.key)
        #expect(Cosignature.time(of: read.signatures[1].value) == time.seconds)
    }

    @Test func `a signature by a known key that does not hold refuses the note; one by a stranger is passed over`()
        throws
    {
        let log = try signer()
        let other = try #require(NoteSigner(name: "other.example", seed: seed.reversed()))
        var note = try #require(
            Checkpoint(origin: "log.example/2026", size: 1, root: seed).signed(by: [log, other], at: time))
        #expect(try note.signers(among: [log.key]) == [log.key])
        var value = note.signatures[1].value
        value[5] ^= 1
        note.signatures[1] = SignedNote.Signature(name: other.key.name, keyID: other.key.keyID, value: value)
        #expect(try note.signers(among: [log.key]) == [log.key])
        #expect(throws: TransparencyError.badSignature(name: "other.example")) {
            try note.signers(among: [log.key, other.key])
        }
        #expect(throws: TransparencyError.noKnownSigner) { try note.signers(among: []) }
    }

    @Test(arguments: [
        "", "\n", "text\n", "text\n\n", "text\n\n— name\n", "text\n\n- name AAAAAAE=\n", "text\n\n— a+b AAAAAAE=\n",
        "text\n\n— name AAAAAAE\n", "text\n\n— name AAAA\n", "text\n\n— name AAAAAAE=", "text\n\n— name  AAAAAAE=\n",
        "te\u{1}xt\n\n— name AAAAAAE=\n", "text\r\n\n— name AAAAAAE=\n", "\n\n— name AAAAAAE=\n",
        "text\n\n— name AAAAAAF=\n",
    ])
    func `what is no note is refused`(text: String) {
        #expect(throws: TransparencyError.self) { try SignedNote(Array(text.utf8)) }
    }

    @Test func `a note is bounded, and may have empty lines in its text`() throws {
        #expect(throws: TransparencyError.self) { try SignedNote([UInt8](repeating: 0x61, count: 1 << 19)) }
        #expect(throws: TransparencyError.self) { try SignedNote([0x61, 0x0A, 0x0A, 0xFF, 0x0A]) }
        let many = "text\n\n" + String(repeating: "— name AAAAAAE=\n", count: 65)
        #expect(throws: TransparencyError.self) { try SignedNote(Array(many.utf8)) }
        let note = try SignedNote(Array("first\n\nsecond\n\n— name AAAAAAE=\n".utf8))
        #expect(note.text == "first\n\nsecond\n")
    }

    @Test(arguments: [
        "", "a\n1\n", "\n1\n\(root)\n", "a\n01\n\(root)\n", "a\n-1\n\(root)\n", "a\n1\n\(root)", "a\n1\nAAAA\n",
        "a\n1\n\(root)\n\nb\n", "a\n18446744073709551616\n\(root)\n", "a\n1 \n\(root)\n",
    ])
    func `what is no checkpoint is refused`(text: String) {
        #expect(throws: TransparencyError.self) { try Checkpoint(text: text) }
    }

    private static let root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

    @Test func `extension lines are allowed`() throws {
        #expect(try Checkpoint(text: "a\n1\n\(Self.root)\nmore\n").size == 1)
    }

    @Test(arguments: [
        "", "name", "name+12345678", "name+00000000+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+Axpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann+c74f20a3+ARpc",
    ])
    func `what is no verifier key is refused`(text: String) {
        #expect(throws: TransparencyError.self) { try NoteKey(text) }
    }

    @Test func `a cosignature over another time or text does not hold`() throws {
        let witness = try signer("witness.example", .cosignature)
        let signature = try #require(witness.sign("text\n", at: time))
        #expect(witness.key.holds(signature.value, over: "text\n"))
        #expect(!witness.key.holds(signature.value, over: "text\n\n"))
        var later = signature.value
        later[7] ^= 1
        #expect(!witness.key.holds(later, over: "text\n"))
        #expect(!witness.key.holds([UInt8](repeating: 0xFF, count: 72), over: "text\n"))
        #expect(!witness.key.holds([], over: "text\n"))
    }
}

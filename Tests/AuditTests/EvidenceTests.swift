import Audit
import Foundation
import HPKI
import JOSE
import Storage
import Synchronization
import Testing
import Transparency

@Suite(.timeLimit(.minutes(10))) struct EvidenceTests {
    /// A stopped log of so many records, in commits of one.
    private func instance(_ count: Int) async throws -> Instance {
        let instance = try Instance()
        let log = try instance.log()
        for number in 0..<count { try await log.recordEvent(.administration, note: "act \(number)") }
        log.stop()
        return instance
    }

    private func evidence<Value: Sendable>(
        _ instance: Instance, _ body: @escaping @Sendable (inout LogEvidence) throws -> Value
    ) async throws -> Value {
        let keys = try instance.signers().keys
        return try await instance.database().read { connection in
            var evidence = try #require(try LogEvidence(origin: "log.example", keys: keys, in: connection))
            return try body(&evidence)
        }
    }

    @Test(arguments: [1, 2, 255, 256, 257, 600])
    func `every record has a proof under the newest signed checkpoint`(count: Int) async throws {
        let instance = try await instance(count)
        #expect(try instance.faults() == [])
        let keys = try instance.signers().keys
        try await evidence(instance) { evidence in
            let checkpoint = evidence.checkpoint
            #expect(checkpoint.size == UInt64(count))
            #expect(try Checkpoint(SignedNote(Array(evidence.note.encoded.utf8)), signedBy: keys) == checkpoint)
            for sequence in [0, count / 3, count - 1] {
                let record = try #require(try evidence.record(UInt64(sequence)))
                #expect(
                    MerkleProof.includes(
                        MerkleTree.leafHash(record.leaf.bytes), at: UInt64(sequence), size: checkpoint.size,
                        root: checkpoint.root, proof: record.proof ?? []))
                #expect(record.openings.map(\.commitment) == record.leaf.commitments)
            }
            #expect(try evidence.record(UInt64(count)) == nil)
        }
    }

    @Test func `a log goes on with its tiles, and each checkpoint begins with those before it`() async throws {
        let instance = try Instance()
        var earlier: [Checkpoint] = []
        for count in [200, 100, 300] {
            let log = try instance.log()
            for number in 0..<count { try await log.recordEvent(.administration, note: "act \(number)") }
            log.stop()
            earlier.append(try await evidence(instance) { $0.checkpoint })
        }
        let saved = earlier
        try await evidence(instance) { evidence in
            for checkpoint in saved {
                let proof = try evidence.consistencyProof(from: checkpoint.size)
                #expect(
                    MerkleProof.isConsistent(
                        earlierSize: checkpoint.size, earlierRoot: checkpoint.root, size: evidence.checkpoint.size,
                        root: evidence.checkpoint.root, proof: proof))
            }
        }
        #expect(try instance.report(saved: saved).faults == [])
        #expect(try instance.report(saved: saved).checkpoints == 600)
        let forked = Checkpoint(origin: "log.example", size: 200, root: Digest(of: [1]).bytes)
        #expect(
            try instance.report(saved: [forked]).faults == [
                "the records up to 200 do not give the root of the saved checkpoint: "
                    + "this log is not the one that was checkpointed"
            ])
        let lost = Checkpoint(origin: "log.example", size: 601, root: Digest(of: [1]).bytes)
        #expect(
            try instance.report(saved: [lost]).faults == [
                "the saved checkpoint counts 601 records, and the log has 600: it was rolled back"
            ])
    }

    @Test func `an edited tile is named, and a start refuses one that grows`() async throws {
        let full = try await instance(600)
        try await full.tamper(
            "UPDATE audit_tile SET hashes = zeroblob(8192) WHERE level = 0 AND number = 1")
        #expect(try full.faults() == ["the tile tile/0/001 is not that of its records"])
        let growing = try await instance(600)
        try await growing.tamper("UPDATE audit_tile SET hashes = zeroblob(64) WHERE level = 1")
        #expect(try growing.faults() == ["the tile tile/1/000.p/2 is not that of its records"])
        #expect(
            try growing.openingFault()
                == .broken(
                    "the tiles do not give the root over the 600 records: tile/1/000.p/2 is not that of its records"))
    }

    @Test func `the tiles of an earlier release are made at the first start`() async throws {
        let instance = try await instance(600)
        let tiles = try await instance.count("audit_tile")
        try await instance.tamper("DELETE FROM audit_tile")
        #expect(try instance.openingFault() == nil)
        #expect(try await instance.count("audit_tile") == tiles)
        #expect(try instance.faults() == [])
        try await instance.tamper("DELETE FROM audit_tile WHERE level = 0 AND number = 1")
        #expect(try instance.openingFault() == .broken("the tiles end at record 256, and the log has 600"))
    }

    @Test func `a checkpoint that the log's key did not sign is named`() async throws {
        let instance = try await instance(3)
        try await instance.tamper(
            "UPDATE audit_commit SET signatures = (SELECT signatures FROM audit_commit WHERE size = 1) WHERE size = 2")
        #expect(
            try instance.report().faults == ["the checkpoint of the records up to 2 is not signed by the log's key"])
    }

    @Test func `signatures and cosignatures that were taken away or made up are named`() async throws {
        let instance = try await instance(3)
        let witness = try #require(
            NoteSigner(name: "w.example", kind: .cosignature, seed: [UInt8](repeating: 5, count: 32)))
        func report() throws -> [String] {
            try AuditVerifier.report(
                try instance.database(), headAt: instance.headPath, key: instance.key,
                keys: try LogSigners(origin: "log.example", seeds: Array(64..<96)).keys, witnesses: [witness.key]
            ).faults
        }
        let text = try await evidence(instance) { $0.checkpoint.text }
        let cosignature = try #require(witness.sign(text, at: Instant(seconds: 9)))
        func put(_ size: UInt64) async throws {
            _ = try await instance.database().write { try CosignatureTable.put(cosignature, size: size, in: $0) }
        }
        try await put(3)
        #expect(try report() == [])
        try await put(2)
        #expect(try report() == ["the cosignature by w.example of the records up to 2 does not hold"])
        try await instance.tamper("DELETE FROM audit_cosignature")
        try await instance.tamper("UPDATE audit_commit SET signatures = NULL WHERE size = 2")
        #expect(try report() == ["the checkpoint of the records up to 2 has lost its signatures"])
        try await instance.tamper("UPDATE audit_commit SET signatures = NULL")
        #expect(try report() == ["no checkpoint of the log is signed"])
    }

    @Test func `what no reader would take is refused before it is written`() async throws {
        let instance = try await instance(1)
        let log = try instance.log()
        await #expect(throws: AuditError.self) {
            try await log.recordEvent(.administration, note: String(repeating: "x", count: 8193))
        }
        try await log.recordEvent(.administration, note: String(repeating: "x", count: 8192))
        log.stop()
        #expect(try instance.report().faults == [])
        #expect(try await instance.count("audit_entry") == 2)
    }

    @Test func `a second writer cannot fork the log`() async throws {
        let instance = try await instance(2)
        let (one, other) = (try instance.log(), try instance.log())
        try await one.recordEvent(.start, note: "one")
        await #expect(throws: AuditError.stopped) { try await other.recordEvent(.start, note: "other") }
        #expect(instance.stops.withLock { $0.first?.contains("another process has written") } == true)
        try await one.recordEvent(.stop, note: "one")
        one.stop()
        #expect(try instance.faults() == [])
        #expect(try await instance.count("audit_entry") == 4)
    }

    @Test func `keys rotate: both sign until the older is retired, and the log tells of it`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        try await log.recordEvent(.start, note: "one")
        let old = try #require(log.signers.keys.first)
        await #expect(throws: AuditError.self) { try await log.retireCheckpointKey(old.keyIDText) }
        let new = try await log.addCheckpointKey(seed: Array(96..<128))
        func signers(_ keys: [NoteKey]) async throws -> [NoteKey] {
            try await instance.database().read { connection in
                let evidence = try #require(try LogEvidence(origin: "log.example", keys: keys, in: connection))
                return try evidence.note.signers(among: keys)
            }
        }
        #expect(try await signers([old, new]) == [old, new])
        try await log.retireCheckpointKey(old.keyIDText)
        try await log.recordEvent(.stop, note: "two")
        log.stop()
        #expect(try await signers([old, new]) == [new])
        let notes = try await instance.entries().compactMap { $0.detail?.openings.first?.value }
        #expect(
            notes == [
                "one", "checkpoint key added: \(new.text)", "checkpoint key retired: \(old.text)", "two",
            ])
        // The retired key's signatures are checked too: the log tells whose they are.
        func report() throws -> LogReport {
            try AuditVerifier.report(
                try instance.database(), headAt: instance.headPath, key: instance.key, keys: [new])
        }
        #expect(try report().checkpoints == 4)
        #expect(try report().faults == [])
        let signatures = "SELECT signatures FROM audit_commit WHERE size = 1"
        var bytes = try #require(
            try await instance.database().read { try $0.queryOne(signatures)?.optionalBlob("signatures") })
        let last = bytes.count - 1
        bytes[last] ^= 1
        try await instance.tamper("UPDATE audit_commit SET signatures = $1 WHERE size = 1", [.blob(bytes)])
        #expect(try report().faults == ["the checkpoint of the records up to 1 is not signed by the log's key"])
        bytes[last] ^= 1
        // Behind the count, the name's length and the name stands the key's id.
        bytes[2 + 4 + "log.example".utf8.count] ^= 1
        try await instance.tamper("UPDATE audit_commit SET signatures = $1 WHERE size = 1", [.blob(bytes)])
        #expect(
            try report().faults == ["the checkpoint of the records up to 1 is signed by a key that the log never had"])
        // Records of administration that are gone are no excuse.
        try await instance.tamper("UPDATE audit_entry SET detail = NULL WHERE sequence = 1")
        #expect(
            try report().faults == ["the checkpoint of the records up to 1 is signed by a key that the log never had"])
    }

    @Test func `a change of keys that a crash cut short is found at the next start`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        try await log.recordEvent(.start, note: "one")
        let both = try LogSigners(origin: "log.example", seeds: Array(64..<128)).keys
        func undone() throws -> UnfinishedKeyChanges { try instance.verified().unfinishedKeyChanges(of: both) }
        // The key stands in the file, and its record was not written.
        #expect(try undone().added == [both[1]])
        #expect(try instance.verified().unfinishedKeyChanges(of: [both[1]]) == UnfinishedKeyChanges())
        _ = try await log.addCheckpointKey(seed: Array(96..<128))
        #expect(try undone() == UnfinishedKeyChanges())
        // The key is retired, and stands in the file yet: in the very commit, and behind later ones.
        try await log.retireCheckpointKey(both[0].keyIDText)
        #expect(try undone().retired == [both[0]] && undone().added.isEmpty)
        for _ in 0..<1001 { try await log.recordEvent(.administration, note: "later") }
        #expect(try undone().retired == [both[0]] && undone().added.isEmpty)
        log.stop()
    }

    @Test func `a receipt has both records of a signature, each under the same checkpoint`() async throws {
        let instance = try Instance()
        let log = try instance.log()
        let doctor = try await Doctor.shared.value
        let intent = try await log.intent(doctor)
        let receipt = try await log.conclude(intent.begin(), .signed(Digest(of: [7])))
        log.stop()
        let json = try await evidence(instance) { evidence in
            guard case .receipt(let json)? = try evidence.receipt(intent: 0, outcome: receipt.entry.sequence) else {
                throw CancellationError()
            }
            return json.bytes
        }
        let value = try JSONValue.read(json)
        #expect(value["format"]?.text == "shirushi-receipt/1")
        guard case .array(let records)? = value["records"] else {
            Issue.record("the receipt has no records")
            return
        }
        #expect(records.count == 2 && records.allSatisfy { $0["proof"] != nil })
        #expect(records[1]["closes"] == .number("0"))
    }

    @Test func `tiles and bundles are those of the format`() async throws {
        let instance = try await instance(300)
        let leaves = try await instance.entries().map(\.leaf.bytes)
        let files = try await instance.database().read { connection in
            let (tiles, bundles) = TileExport.places(300)
            return try tiles.map { try TileExport.tile($0, in: connection) }
                + bundles.map { try TileExport.bundle($0, in: connection) }
        }
        let byPath = Dictionary(uniqueKeysWithValues: files.map { ($0.path, $0.bytes) })
        #expect(
            byPath.keys.sorted() == [
                "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44",
            ])
        #expect(byPath["tile/0/000"] == leaves[..<256].flatMap { MerkleTree.leafHash($0) })
        #expect(byPath["tile/0/001.p/44"] == leaves[256...].flatMap { MerkleTree.leafHash($0) })
        let bundle = leaves[256...].flatMap { [UInt8($0.count >> 8), UInt8($0.count & 255)] + $0 }
        #expect(byPath["tile/entries/001.p/44"] == bundle)
    }
}

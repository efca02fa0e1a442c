import Foundation
import HPKI
import Host
import Testing
import Transparency
import Witness

@Suite struct WitnessTests {
    /// A log in memory, of leaves that say their number.
    private struct Log {
        let signer: NoteSigner
        let salt: String

        init(_ name: String = "log.example/2026", seed: UInt8 = 1, salt: String = "") throws {
            signer = try #require(NoteSigner(name: name, seed: [UInt8](repeating: seed, count: 32)))
            self.salt = salt
        }

        private func hashes(_ size: Int) -> [[UInt8]] {
            (0..<size).map { MerkleTree.leafHash(Array("\(salt)\($0)".utf8)) }
        }

        private func root(_ hashes: ArraySlice<[UInt8]>) -> [UInt8] {
            if hashes.isEmpty { return MerkleTree().root }
            if hashes.count == 1 { return hashes[hashes.startIndex] }
            var half = 1
            while half * 2 < hashes.count { half *= 2 }
            let middle = hashes.startIndex + half
            return MerkleTree.nodeHash(root(hashes[..<middle]), root(hashes[middle...]))
        }

        /// RFC 6962 §2.1.2, as it is written there.
        private func proof(_ earlier: Int, _ hashes: ArraySlice<[UInt8]>, _ isWhole: Bool) -> [[UInt8]] {
            if earlier == hashes.count { return isWhole ? [] : [root(hashes)] }
            var half = 1
            while half * 2 < hashes.count { half *= 2 }
            let middle = hashes.startIndex + half
            if earlier <= half { return proof(earlier, hashes[..<middle], isWhole) + [root(hashes[middle...])] }
            return proof(earlier - half, hashes[middle...], false) + [root(hashes[..<middle])]
        }

        func submission(from old: Int, to size: Int, signers: [NoteSigner]? = nil) throws -> [UInt8] {
            let hashes = hashes(size)
            let checkpoint = Checkpoint(origin: signer.key.name, size: UInt64(size), root: root(hashes[...]))
            let note = try #require(checkpoint.signed(by: signers ?? [signer], at: Instant(seconds: 0)))
            let proof = old == 0 || old > size ? [] : proof(old, hashes[...], true)
            return try AddCheckpoint(oldSize: UInt64(old), proof: proof, note: note).body
        }
    }

    private let folder = NSTemporaryDirectory() + "witness-\(UUID().uuidString)"
    private let now = Instant(seconds: 1_795_222_800)

    private func witness(of logs: Log...) async throws -> Witness {
        _ = try Witness.create(in: folder, name: "w.example/1", random: .live)
        let witness = try Witness(folder: folder, clock: .fixed(now))
        for log in logs { try await witness.trust(log.signer.key) }
        return witness
    }

    private func holds(_ answer: Witness.Answer, _ body: [UInt8], by witness: Witness) throws -> Bool {
        guard case .cosigned(let lines) = answer else { return false }
        let request = try AddCheckpoint(body)
        let signatures = try AddCheckpoint.signatures(in: Array(lines.utf8))
        return signatures.count == 1 && witness.key.holds(signatures[0].value, over: request.note.text)
            && Cosignature.time(of: signatures[0].value) == now.seconds
    }

    @Test func `a log that grows is cosigned at every size, and the newest checkpoint is given out`() async throws {
        let log = try Log()
        let witness = try await witness(of: log)
        var old = 0
        for size in [0, 1, 2, 3, 7, 8, 8, 9, 300] {
            let body = try log.submission(from: old, to: size)
            #expect(try holds(try await witness.add(body), body, by: witness), "from \(old) to \(size)")
            old = size
        }
        let note = try #require(try await witness.checkpoint(originHash: Witness.hash(of: "log.example/2026")))
        let read = try SignedNote(Array(note.utf8))
        #expect(try read.signers(among: [log.signer.key, witness.key]).count == 2)
        #expect(try Checkpoint(text: read.text).size == 300)
        #expect(try await witness.checkpoint(originHash: Witness.hash(of: "other")) == nil)
    }

    @Test func `each fault has its answer, and none of them moves what was seen`() async throws {
        let (log, other) = (try Log(), try Log(salt: "other"))
        let witness = try await witness(of: log)
        let first = try log.submission(from: 0, to: 5)
        #expect(try holds(try await witness.add(first), first, by: witness))
        if case .malformed = try await witness.add(Array("old 5\n".utf8)) {
        } else {
            Issue.record("a body without a checkpoint was taken")
        }
        #expect(try await witness.add(try Log("unknown.example").submission(from: 5, to: 6)) == .unknownLog)
        #expect(try await witness.add(try Log(seed: 2).submission(from: 5, to: 6)) == .unsigned)
        if case .malformed = try await witness.add(try log.submission(from: 9, to: 6)) {
        } else {
            Issue.record("an old size above the size was taken")
        }
        for old in [0, 4, 6] {
            #expect(try await witness.add(try log.submission(from: old, to: 6)) == .conflict(size: 5))
        }
        // A rollback, in the honest and in the lying form.
        #expect(try await witness.add(try log.submission(from: 3, to: 4)) == .conflict(size: 5))
        // A fork: of the same size, and of a larger one.
        #expect(try await witness.add(try other.submission(from: 5, to: 5)) == .conflict(size: 5))
        #expect(try await witness.add(try other.submission(from: 5, to: 6)) == .inconsistent)
        let next = try log.submission(from: 5, to: 6)
        #expect(try holds(try await witness.add(next), next, by: witness))
    }

    @Test func `whoever sends again what was seen changes nothing of it, however often a key signs`() async throws {
        let log = try Log()
        let witness = try await witness(of: log)
        let many = try log.submission(from: 0, to: 5, signers: Array(repeating: log.signer, count: 64))
        #expect(try holds(try await witness.add(many), many, by: witness))
        let note = try await witness.checkpoint(originHash: Witness.hash(of: "log.example/2026"))
        #expect(try SignedNote(Array((note ?? "").utf8)).signatures.count == 2)
        let again = try log.submission(from: 5, to: 5, signers: Array(repeating: log.signer, count: 64))
        #expect(try holds(try await witness.add(again), again, by: witness))
        #expect(try await witness.checkpoint(originHash: Witness.hash(of: "log.example/2026")) == note)
    }

    @Test func `a proof that is too long or too short is no proof`() async throws {
        let log = try Log()
        let witness = try await witness(of: log)
        _ = try await witness.add(try log.submission(from: 0, to: 5))
        let good = try AddCheckpoint(try log.submission(from: 5, to: 9))
        for proof in [Array(good.proof.dropLast()), good.proof + [good.proof[0]], []] {
            let body = try AddCheckpoint(oldSize: 5, proof: proof, note: good.note).body
            #expect(try await witness.add(body) == .inconsistent)
        }
        let same = try AddCheckpoint(log.submission(from: 5, to: 5))
        let idle = try AddCheckpoint(oldSize: 5, proof: [good.proof[0]], note: same.note)
        #expect(try await witness.add(idle.body) == .inconsistent)
    }

    @Test func `a rotated key is trusted beside the old one, and distrusted after`() async throws {
        let (old, new) = (try Log(), try Log(seed: 2))
        let witness = try await witness(of: old, new)
        let both = try old.submission(from: 0, to: 3, signers: [old.signer, new.signer])
        #expect(try holds(try await witness.add(both), both, by: witness))
        try await witness.distrust(old.signer.key)
        #expect(try await witness.add(try old.submission(from: 3, to: 4)) == .unsigned)
        let next = try new.submission(from: 3, to: 4)
        #expect(try holds(try await witness.add(next), next, by: witness))
        #expect(try await witness.watched().map(\.size) == [4])
        await #expect(throws: WitnessError.self) { try await witness.trust(witness.key) }
    }

    @Test func `two at once never both move on from one size, whoever opened the folder`() async throws {
        let log = try Log()
        let witnesses = [try await witness(of: log), try Witness(folder: folder, clock: .fixed(now))]
        _ = try await witnesses[0].add(try log.submission(from: 0, to: 4))
        let bodies = try (5..<21).map { try log.submission(from: 4, to: $0) }
        let answers = try await withThrowingTaskGroup(of: Witness.Answer.self) { group in
            for (index, body) in bodies.enumerated() {
                group.addTask { try await witnesses[index % 2].add(body) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count { if case .cosigned = $0 { true } else { false } } == 1)
        #expect(answers.count { if case .conflict = $0 { true } else { false } } == 15)
    }

    @Test func `what was seen outlives the process, and is forgotten only when told`() async throws {
        let log = try Log()
        _ = try await witness(of: log).add(try log.submission(from: 0, to: 7))
        let again = try Witness(folder: folder, clock: .fixed(now))
        #expect(try await again.add(try log.submission(from: 0, to: 8)) == .conflict(size: 7))
        try await again.forget("log.example/2026")
        let body = try log.submission(from: 0, to: 2)
        #expect(try holds(try await again.add(body), body, by: again))
        #expect(throws: WitnessError.self) { try Witness.create(in: folder, name: "w", random: .live) }
        #expect(throws: WitnessError.self) { try Witness.create(in: folder + "-2", name: "w 1", random: .live) }
        #expect(throws: WitnessError.self) { try Witness(folder: folder + "-3", clock: .live) }
    }
}

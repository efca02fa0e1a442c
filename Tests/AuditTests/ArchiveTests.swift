import Audit
import Foundation
import HPKI
import Storage
import Synchronization
import Testing
import Transparency

@Suite struct ArchiveTests {
    /// A log of so many records, a second apart, from the time of `Instance.start` on.
    private func instance(_ count: Int) async throws -> Instance {
        let instance = try Instance()
        let log = try instance.log()
        for number in 0..<count {
            try await log.recordEvent(.configuration, note: "policy set \(number) \"薬\"")
            instance.clock.withLock { $0 = $0.adding(seconds: 1) }
        }
        log.stop()
        return instance
    }

    private func archive(_ instance: Instance, until: Instant? = nil) throws -> String {
        let folder = instance.folder + "/archive-\(UUID())"
        let database = try instance.database()
        let keys = try instance.signers().keys
        let end = try #require(try LogArchive.end(database, origin: "log.example", keys: keys, until: until))
        try LogArchive.write(end, of: database, to: folder)
        return folder
    }

    private func verify(_ folder: String, _ instance: Instance) throws -> LogArchive.Contents {
        try LogArchive.verify(folder, keys: try instance.signers().keys)
    }

    @Test(arguments: [1, 256, 520]) func `what is written holds`(count: Int) async throws {
        let instance = try await instance(count)
        let contents = try verify(try archive(instance), instance)
        #expect(contents.checkpoint.size == UInt64(count) && contents.erased.isEmpty)
        #expect(contents.checkpoint.root == (try instance.report()).root)
    }

    @Test func `an archive ends before its time, at a checkpoint`() async throws {
        let instance = try await instance(9)
        for (seconds, size) in [(1, 1), (4, 4), (9, 9), (100, 9)] as [(Int64, UInt64)] {
            let folder = try archive(instance, until: Instance.start.adding(seconds: seconds))
            #expect(try verify(folder, instance).checkpoint.size == size)
        }
        let keys = try instance.signers().keys
        #expect(
            try LogArchive.end(instance.database(), origin: "log.example", keys: keys, until: Instance.start) == nil)
    }

    @Test func `a later erasure does not touch it, and a new one says what is missing`() async throws {
        let instance = try await instance(6)
        let before = try archive(instance)
        let log = try instance.log()
        try await log.erase(
            ErasureRecord([1, 2, 4].map { ($0, .operations) }, ground: "g", archived: 6), step: { _, _ in })
        log.stop()
        let old = try verify(before, instance)
        let new = try verify(try archive(instance), instance)
        #expect(old.erased.isEmpty && new.erased.text == "1-2 4" && new.checkpoint.size == 7)
        func missing() throws -> UInt64? {
            try instance.database().readBlocking { try LogArchive.firstMissing(new, in: $0) }
        }
        #expect(try missing() == nil)
        // An archive that lacks a detail which the log still has is not good enough to erase by.
        try await instance.tamper(
            "UPDATE audit_entry SET detail = (SELECT detail FROM audit_entry WHERE sequence = 0) WHERE sequence = 2")
        #expect(try missing() == 2)
    }

    @Test func `every changed, lost or added byte is found`() async throws {
        let instance = try await instance(260)
        let folder = try archive(instance)
        let files = FileManager.default
        let names = try #require(files.enumerator(atPath: folder)).compactMap { $0 as? String }.filter { name in
            var isFolder: ObjCBool = false
            return unsafe files.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder) && !isFolder.boolValue
        }
        #expect(names.count == 7, "\(names)")
        for name in names {
            let place = URL(filePath: "\(folder)/\(name)")
            let whole = try Data(contentsOf: place)
            for index in stride(from: 0, to: whole.count, by: max(1, whole.count / 12)) {
                var changed = whole
                changed[index] ^= 1
                try changed.write(to: place)
                #expect(throws: EvidenceFault.self, "\(name) at \(index)") { try verify(folder, instance) }
            }
            for other in [whole.dropLast(), whole + [0x0A], Data()] {
                try other.write(to: place)
                #expect(throws: EvidenceFault.self, "\(name)") { try verify(folder, instance) }
            }
            try files.removeItem(at: place)
            #expect(throws: EvidenceFault.self, "\(name)") { try verify(folder, instance) }
            try whole.write(to: place)
        }
        _ = try verify(folder, instance)
    }

    @Test func `another log's key, and records of another checkpoint, do not do`() async throws {
        let instance = try await instance(5)
        let folder = try archive(instance)
        let stranger = try LogSigners(origin: "log.example", seeds: Array(0..<32)).keys
        #expect(throws: EvidenceFault.self) { try LogArchive.verify(folder, keys: stranger) }
        #expect(throws: EvidenceFault.self) { try LogArchive.verify(folder, keys: []) }
        let earlier = try archive(instance, until: Instance.start.adding(seconds: 3))
        let records = URL(filePath: folder + "/records.jsonl")
        try Data(contentsOf: URL(filePath: earlier + "/records.jsonl")).write(to: records)
        #expect(throws: EvidenceFault.self) { try verify(folder, instance) }
    }
}

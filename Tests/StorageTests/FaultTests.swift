import Foundation
import Storage
import Synchronization
import Testing

@Suite struct Faults {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test(arguments: [true, false])
    func `a commit that said no is in doubt, and nothing is written until the file is opened anew`(
        done: Bool
    ) async throws {
        struct Broken: Error {}
        let commits = Mutex(0)
        let third: @Sendable () throws -> Void = {
            if commits.withLock({
                $0 += 1; return $0 == 3
            }) {
                throw Broken()
            }
        }
        let faults = done ? DatabaseFaults(afterCommit: third) : DatabaseFaults(beforeCommit: third)
        let database = try Database.create(at: scratch.path, parts: [notes], faults: faults)
        for id in 1...2 as ClosedRange<Int64> { try await database.write { try add($0, id) } }
        do {
            try await database.write { try add($0, 3) }
            Issue.record("the third commit was answered")
        } catch {
            guard case .inDoubt(.io) = error else { throw error }
        }
        let error = await #expect(throws: TransactionError.self) { try await database.write { try add($0, 4) } }
        #expect(error?.storage == .mustReopen)
        try database.close()
        let again = try Database.open(at: scratch.path, parts: [notes])
        #expect(try await count(again) == (done ? 3 : 2))
        try await again.write { try add($0, 5) }
    }

    @Test func `a full disk fails a transaction and never half of it`() async throws {
        let mount = scratch.folder + "/small"
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
        guard try run("/bin/mount", ["-t", "tmpfs", "-o", "size=1m", "none", mount]) == 0 else {
            print("SKIPPED: a full disk needs the right to mount a tmpfs")
            return
        }
        defer { _ = try? run("/bin/umount", ["-l", mount]) }
        let database = try Database.create(at: mount + "/full.sqlite", parts: [notes])
        let big = String(repeating: "x", count: 50_000)
        var done: Int64 = 0
        var failure: TransactionError?
        while failure == nil, done < 100 {
            do throws(TransactionError) {
                let id = done
                try await database.write { connection in
                    try add(connection, 2 * id, big)
                    try add(connection, 2 * id + 1, big)
                }
                done += 1
            } catch { failure = error }
        }
        #expect(failure?.storage == .full || failure?.storage == .io)
        #expect(done > 0)
        try database.close()
        try FileManager.default.createDirectory(atPath: scratch.folder + "/copy", withIntermediateDirectories: true)
        for name in ["full.sqlite", "full.sqlite-wal"] where FileManager.default.fileExists(atPath: mount + "/" + name)
        {
            try FileManager.default.copyItem(atPath: mount + "/" + name, toPath: scratch.folder + "/copy/" + name)
        }
        let again = try Database.open(at: scratch.folder + "/copy/full.sqlite", parts: [notes])
        let rows = try await count(again)
        #expect(rows == 2 * done || rows == 2 * done + 2)
        try await again.checkIntegrity()
    }

    private func run(_ program: String, _ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

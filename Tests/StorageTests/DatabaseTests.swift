import Foundation
import Storage
import Testing

@Suite struct Databases {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func make(_ faults: DatabaseFaults? = nil) throws -> Database {
        try Database.create(at: scratch.path, parts: [notes], faults: faults)
    }

    @Test func `what was written comes back by place and by name`() async throws {
        let database = try make()
        try await database.write { connection in
            let changed = try connection.execute("INSERT INTO note VALUES ($2, $1, NULL)", ["a'$1", 7])
            #expect(changed == 1)
        }
        let row = try await database.read { try $0.queryOne("SELECT id, body, data FROM note WHERE id = $1", [7]) }
        #expect(try row?.integer("id") == 7)
        #expect(try row?.text(1) == "a'$1")
        #expect(try row?.optionalBlob("data") == nil)
        #expect(throws: StorageError.unexpectedValue) { try row?.blob("data") }
        #expect(throws: StorageError.unexpectedValue) { try row?.integer("body") }
        #expect(throws: StorageError.unexpectedValue) { try row?.integer(3) }
        #expect(throws: StorageError.unexpectedValue) { try row?.text("nothing") }
    }

    @Test func `a dollar between quotes stays and a parameter may repeat`() async throws {
        let database = try make()
        let row = try await database.read { try $0.queryOne("SELECT '$1' AS a, $1 AS b, $1 AS c", ["x"]) }
        #expect(try row?.text("a") == "$1")
        #expect(try row?.text("b") == "x")
        #expect(try row?.text("c") == "x")
    }

    @Test func `too few or too many values are refused`() async throws {
        let database = try make()
        await #expect(throws: TransactionError.self) { try await database.read { try $0.query("SELECT $1, $2", [1]) } }
        await #expect(throws: TransactionError.self) { try await database.read { try $0.query("SELECT $1", [1, 2]) } }
    }

    @Test func `a writer keeps every commit on the disk and foreign keys in force`() async throws {
        let database = try make()
        let settings = try database.writeBlocking { connection in
            (
                try connection.queryOne("PRAGMA synchronous")?.integer(0),
                try connection.queryOne("PRAGMA journal_mode")?.text(0),
                try connection.queryOne("PRAGMA foreign_keys")?.integer(0)
            )
        }
        #expect(settings == (2, "wal", 1))
        let error = await #expect(throws: TransactionError.self) {
            try await database.write { try $0.execute("INSERT INTO line VALUES (99)") }
        }
        #expect(error?.storage == .constraint)
    }

    @Test func `the files are their owner's alone`() async throws {
        let database = try make()
        try await database.write { try add($0, 1) }
        for name in try FileManager.default.contentsOfDirectory(atPath: scratch.folder) {
            let attributes = try FileManager.default.attributesOfItem(atPath: scratch.folder + "/" + name)
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
    }

    @Test func `a closure that throws leaves nothing behind and its own error comes out`() async throws {
        struct Refused: Error {}
        let database = try make()
        do {
            try await database.write { connection in
                try add(connection, 1)
                throw Refused()
            }
            Issue.record("the write went through")
        } catch .notDone(let error) {
            #expect(error is Refused)
        } catch {
            Issue.record("\(error)")
        }
        #expect(try await count(database) == 0)
    }

    @Test func `one entry of a group fails in its savepoint and the others stay`() async throws {
        let database = try make()
        let failed = try await database.write { connection in
            var failed: [Int64] = []
            for id in [1, 2, 2, 3] as [Int64] {
                do {
                    try connection.savepoint {
                        try add(connection, id + 100)
                        try add(connection, id)
                    }
                } catch StorageError.constraint { failed.append(id) }
            }
            return failed
        }
        #expect(failed == [2])
        #expect(try await count(database) == 6)
    }

    @Test func `a savepoint within a savepoint undoes itself alone`() async throws {
        struct Refused: Error {}
        let database = try make()
        try await database.write { connection in
            try connection.savepoint {
                try add(connection, 1)
                try? connection.savepoint {
                    try add(connection, 2)
                    throw Refused()
                }
            }
        }
        #expect(try await count(database) == 1)
    }

    @Test func `a swallowed rollback or commit of the closure's own is no success`() async throws {
        let database = try make()
        for word in ["ROLLBACK", "COMMIT"] {
            await #expect(throws: TransactionError.self) { try await database.write { try $0.execute(word) } }
        }
        try await database.write { try add($0, 1) }
        #expect(try await count(database) == 1)
    }

    @Test func `a connection is dead behind its closure`() async throws {
        let database = try make()
        nonisolated(unsafe) var leaked: (any SQLConnection)?
        try database.writeBlocking { unsafe leaked = $0 }
        #expect(throws: StorageError.closed) { try unsafe leaked?.execute("DELETE FROM note") }
    }

    @Test func `writers at the same time all get their turn, and readers see whole transactions`() async throws {
        let database = try make()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in 0..<100 as Range<Int64> {
                group.addTask {
                    try await database.write { connection in
                        try add(connection, 2 * id)
                        try add(connection, 2 * id + 1)
                    }
                }
                group.addTask {
                    let seen = try await count(database)
                    #expect(seen % 2 == 0)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await count(database) == 200)
    }

    @Test func `a cancelled task does not stop its write`() async throws {
        let database = try make()
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            try await database.write { try add($0, 1) }
        }
        try await task.value
        #expect(try await count(database) == 1)
    }
}

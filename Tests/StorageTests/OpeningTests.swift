import Foundation
import Storage
import Testing

@Suite struct Opening {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func `a database that is not there is not made by opening it`() throws {
        #expect(throws: StorageError.missing) { try Database.open(at: scratch.path, parts: [notes]) }
        #expect(!FileManager.default.fileExists(atPath: scratch.path))
    }

    @Test func `a database is made once`() throws {
        try Database.create(at: scratch.path, parts: [notes]).close()
        #expect(throws: StorageError.exists) { try Database.create(at: scratch.path, parts: [notes]) }
        try Database.open(at: scratch.path, parts: [notes]).close()
    }

    @Test func `tables of a newer release are refused, older ones are brought up to date`() async throws {
        let newer = SchemaPart("notes", versions: noteVersions + ["ALTER TABLE note ADD COLUMN extra TEXT"])
        try Database.create(at: scratch.path, parts: [notes]).close()
        let old = StorageError.schemaTooOld(part: "notes", found: 1, known: 2)
        #expect(throws: old) { try Database.open(at: scratch.path, parts: [newer], readOnly: true) }
        let database = try Database.open(at: scratch.path, parts: [newer])
        try await database.write { _ = try $0.execute("INSERT INTO note VALUES (1, 'a', NULL, 'b')") }
        try database.close()
        let new = StorageError.schemaTooNew(part: "notes", found: 2, known: 1)
        #expect(throws: new) { try Database.open(at: scratch.path, parts: [notes]) }
        #expect(throws: new) { try Database.open(at: scratch.path, parts: [notes], readOnly: true) }
    }

    @Test func `a change of tables that fails changes none of them`() throws {
        try Database.create(at: scratch.path, parts: [notes]).close()
        let broken = SchemaPart("notes", versions: noteVersions + ["CREATE TABLE fine (a TEXT); NONSENSE"])
        #expect(throws: StorageError.self) { try Database.open(at: scratch.path, parts: [broken]) }
        let database = try Database.open(at: scratch.path, parts: [notes])
        let found = try database.readBlocking { try $0.query("SELECT 1 FROM sqlite_master WHERE name = 'fine'").count }
        #expect(found == 0)
    }

    @Test func `a file that is no database, or empty, is corrupt`() throws {
        for content in [Data("not a database at all".utf8), Data(), Data(repeating: 0xFF, count: 9000)] {
            try content.write(to: URL(filePath: scratch.path))
            #expect(throws: StorageError.corrupt) { try Database.open(at: scratch.path, parts: [notes]) }
        }
    }

    @Test func `a damaged page is found`() async throws {
        let database = try Database.create(at: scratch.path, parts: [notes])
        try await database.write { connection in
            for id in 0..<500 as Range<Int64> { try add(connection, id, String(repeating: "x", count: 100)) }
        }
        try await database.checkIntegrity()
        try database.close()
        var file = try Data(contentsOf: URL(filePath: scratch.path))
        for index in stride(from: 4096 * 3, to: file.count, by: 3) { file[index] = 0xA5 }
        try file.write(to: URL(filePath: scratch.path))
        let again = try Database.open(at: scratch.path, parts: [notes])
        await #expect(throws: StorageError.corrupt) { try await again.checkIntegrity() }
    }

    @Test func `a reader reads beside the writer and cannot write`() async throws {
        let writer = try Database.create(at: scratch.path, parts: [notes])
        let reader = try Database.open(at: scratch.path, parts: [notes], readOnly: true)
        try await writer.write { try add($0, 1) }
        #expect(try await count(reader) == 1)
        let error = await #expect(throws: TransactionError.self) { try await reader.write { try add($0, 2) } }
        #expect(error?.storage == .readOnly)
        #expect(try await count(writer) == 1)
    }

    @Test func `a closed database says so`() async throws {
        let database = try Database.create(at: scratch.path, parts: [notes])
        try database.close()
        let error = await #expect(throws: TransactionError.self) { try await database.write { try add($0, 2) } }
        #expect(error?.storage == .closed)
    }

    @Test func `a copy made beside a writer is a whole database of its own`() async throws {
        let scratch = try Scratch()
        let database = try Database.create(at: scratch.path, parts: [notes])
        try await database.write { try add($0, 1, "kept") }
        let reader = try Database.open(at: scratch.path, parts: [notes], readOnly: true)
        let copy = scratch.folder + "/copy.sqlite"
        try reader.copy(to: copy)
        try await database.write { try add($0, 2) }
        #expect(throws: StorageError.exists) { try reader.copy(to: copy) }
        let copied = try Database.open(at: copy, parts: [notes])
        #expect(try await count(copied) == 1)
        #expect(try await count(database) == 2)
    }
}

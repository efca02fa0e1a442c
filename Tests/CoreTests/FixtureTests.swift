import Audit
import Core
import Foundation
import HPKI
import Host
import Storage
import Testing

/// Instances as earlier releases left them (scripts/make-fixture), opened by this one.
struct FixtureTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Fixtures/instances").path

    static var names: [String] { (try? Files.names(in: folder)) ?? [] }

    /// A fixture made into files again, in a folder that goes with it.
    private final class Instance {
        let path: String
        let key: LogKey
        var database: String { path + "/core.sqlite" }
        var head: String { path + "/audit.head" }

        init(_ name: String) throws {
            path = FileManager.default.temporaryDirectory.appending(path: "shirushi-fixture-\(UUID())").path()
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let source = FixtureTests.folder + "/" + name
            key = LogKey(try Self.hexadecimal(source + "/log.key.hex"))
            try Files.write(try Self.hexadecimal(source + "/audit.head.hex"), to: path + "/audit.head")
            let sql = String(decoding: try Files.read(source + "/core.sql", atMost: 1 << 24), as: UTF8.self)
            try Database.create(at: path + "/core.sqlite", parts: [SchemaPart("fixture", versions: [sql])]).close()
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        private static func hexadecimal(_ file: String) throws -> [UInt8] {
            let text = String(decoding: try Files.read(file, atMost: 1 << 20), as: UTF8.self)
            return try #require(Hex.decode(text.filter { !$0.isNewline }))
        }

        func count(_ table: String) throws -> Int64 {
            let database = try Database.open(at: database, parts: [])
            defer { try? database.close() }
            return try database.readBlocking {
                try $0.queryOne("SELECT count(*) AS n FROM \(table)")?.integer("n") ?? 0
            }
        }
    }

    @Test func `there is a fixture of every release`() {
        #expect(Self.names.contains("2026-first-version"))
    }

    @Test(arguments: names) func `an earlier release's instance opens, migrates and verifies`(name: String) throws {
        let instance = try Instance(name)
        let tables = ["holder", "credential", "signature", "audit_entry", "audit_commit"]
        let before = try tables.map(instance.count)
        #expect(!before.contains(0))
        let database = try Database.open(at: instance.database, parts: CoreSchema.parts)
        let log = try AuditVerifier.open(database, headAt: instance.head, key: instance.key)
        #expect(log.openIntents.isEmpty && log.size == UInt64(before[3]))
        #expect(try AuditVerifier.report(database, headAt: instance.head, key: instance.key).faults == [])
        try database.close()
        #expect(try tables.map(instance.count) == before)
        // Brought up to date once, it opens for readers, who cannot.
        try Database.open(at: instance.database, parts: CoreSchema.parts, readOnly: true).close()
    }

    @Test(arguments: names) func `a release before this one refuses the tables of a later one`(name: String) throws {
        let instance = try Instance(name)
        let database = try Database.open(at: instance.database, parts: CoreSchema.parts)
        let known = try database.readBlocking {
            try $0.queryOne("SELECT version FROM schema_part WHERE name = 'keys'")?.integer("version") ?? 0
        }
        _ = try database.writeBlocking {
            try $0.execute("UPDATE schema_part SET version = version + 1 WHERE name = 'keys'")
        }
        try database.close()
        let refusal = StorageError.schemaTooNew(part: "keys", found: Int(known) + 1, known: Int(known))
        #expect(throws: refusal) { try Database.open(at: instance.database, parts: CoreSchema.parts) }
        #expect("\(refusal)".contains("newer release"))
    }
}

internal import GRDB

/// The tables of one module: how to make them, and every change since.
package struct SchemaPart: Sendable {
    let name: String
    let versions: [String]

    /// The tables of the module `name`; `versions[n]` brings them from version n to n + 1.
    ///
    /// Each is statements with `;` between them. Once released a text never changes; a change is another behind it.
    package init(_ name: String, versions: [String]) {
        self.name = name
        self.versions = versions
    }
}

extension SchemaPart {
    /// Brings all parts up to date in one transaction.
    static func migrate(_ database: GRDB.Database, _ parts: [SchemaPart]) throws {
        try database.inTransaction(.immediate) {
            let table = "CREATE TABLE IF NOT EXISTS schema_part (name TEXT PRIMARY KEY, version BIGINT NOT NULL)"
            try database.execute(sql: table)
            for part in parts { try part.migrate(database) }
            return .commit
        }
    }

    /// Throws `.corrupt` where the file holds no database of ours, and otherwise unless every part is of this release.
    static func check(_ database: GRDB.Database, _ parts: [SchemaPart], mayBeOlder: Bool) throws {
        guard try database.tableExists("schema_part") else { throw StorageError.corrupt }
        for part in parts {
            let found = try part.version(database)
            let known = part.versions.count
            if found > known { throw StorageError.schemaTooNew(part: part.name, found: found, known: known) }
            if found < known, !mayBeOlder {
                throw StorageError.schemaTooOld(part: part.name, found: found, known: known)
            }
        }
    }

    private func migrate(_ database: GRDB.Database) throws {
        let found = try version(database)
        guard found <= versions.count else {
            throw StorageError.schemaTooNew(part: name, found: found, known: versions.count)
        }
        for text in versions.dropFirst(found) { try database.execute(sql: text) }
        let record = "INSERT INTO schema_part VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version"
        try database.execute(sql: record, arguments: [name, versions.count])
    }

    private func version(_ database: GRDB.Database) throws -> Int {
        let sql = "SELECT version FROM schema_part WHERE name = ?"
        let found = try Int.fetchOne(database, sql: sql, arguments: [name]) ?? 0
        guard found >= 0 else { throw StorageError.corrupt }
        return found
    }
}

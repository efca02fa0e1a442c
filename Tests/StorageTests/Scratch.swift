import Foundation
import Storage

/// A folder that goes with its owner.
final class Scratch: Sendable {
    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "shirushi-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    var path: String { folder + "/test.sqlite" }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}

let notes = SchemaPart("notes", versions: noteVersions)
let noteVersions = [
    """
    CREATE TABLE note (id BIGINT PRIMARY KEY, body TEXT NOT NULL, data BLOB);
    CREATE TABLE line (note BIGINT NOT NULL REFERENCES note (id));
    """
]

func count(_ database: Database) async throws -> Int64 {
    try await database.read { try $0.queryOne("SELECT count(*) AS n FROM note")?.integer("n") ?? -1 }
}

func add(_ connection: any SQLConnection, _ id: Int64, _ body: String = "text") throws {
    try connection.execute("INSERT INTO note VALUES ($1, $2, $3)", [.integer(id), .text(body), .blob([1, 0, 255])])
}

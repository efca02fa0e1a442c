import HPKI
import Storage
package import Transparency

/// What a crash left undone of adding or retiring a checkpoint key: where the file of keys and the log disagree.
package struct UnfinishedKeyChanges: Sendable, Hashable {
    /// Keys in the file that the log does not tell of yet.
    package var added: [NoteKey] = []
    /// Keys in the file that the log calls retired.
    package var retired: [NoteKey] = []

    /// Nothing undone.
    package init() {}
}

extension VerifiedLog {
    /// Compares the keys in the file with the log: with who signed its newest commit, and with the retirements since
    /// core last started; blocks; throws `.unreadable`.
    ///
    /// Each start settles what it finds before it records itself, so nothing older can be left undone.
    package func unfinishedKeyChanges(of keys: [NoteKey]) throws(AuditError) -> UnfinishedKeyChanges {
        var found = UnfinishedKeyChanges()
        // A lone key is either the one that always was, or was put there for one that is lost.
        guard keys.count > 1 else { return found }
        do {
            return try database.readBlocking { connection in
                let retired = try Self.retiredSinceStart(below: size, connection)
                found.retired = keys.filter { retired.contains($0.text) }
                let signers = try Self.signersOfNewestCommit(connection)
                guard keys.contains(where: { signers.contains($0.keyID) }) else { return found }
                found.added = keys.filter { !signers.contains($0.keyID) && !found.retired.contains($0) }
                return found
            }
        } catch { throw .unreadable("\(error)") }
    }

    private static func signersOfNewestCommit(_ connection: any SQLConnection) throws -> Set<UInt32> {
        let row = try connection.queryOne("SELECT signatures FROM audit_commit ORDER BY size DESC LIMIT 1")
        guard let bytes = try row?.optionalBlob("signatures") else { return [] }
        return Set(try StoredSignatures.read(bytes).map(\.keyID))
    }

    /// The keys that were retired since the newest record of a start, read backwards from the end.
    private static func retiredSinceStart(below size: UInt64, _ connection: any SQLConnection) throws -> Set<String> {
        var (retired, end) = (Set<String>(), Int64(size))
        while true {
            let rows = try connection.query(
                "SELECT sequence, leaf, detail FROM audit_entry WHERE sequence < $1 ORDER BY sequence DESC LIMIT 1000",
                [.integer(end)])
            guard let oldest = rows.last else { return retired }
            for row in rows {
                let kind = try Leaf(try row.blob("leaf")).kind
                if kind == .start { return retired }
                guard kind == .administration, let detail = try row.optionalBlob("detail") else { continue }
                for note in try Detail(detail).openings where note.field == .note {
                    if let key = CheckpointKeyNote.retired.key(in: note.value) { retired.insert(key) }
                }
            }
            end = try oldest.integer("sequence")
        }
    }
}

/// The notes of the administration records about checkpoint keys.
enum CheckpointKeyNote: String {
    case added = "checkpoint key added: "
    case retired = "checkpoint key retired: "

    func text(_ key: NoteKey) -> String { rawValue + key.text }

    /// The verifier key that such a note names; nil for another note.
    func key(in note: String) -> String? { note.hasPrefix(rawValue) ? String(note.dropFirst(rawValue.count)) : nil }
}

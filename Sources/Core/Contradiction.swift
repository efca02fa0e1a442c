import Audit
import HPKI
import Host
package import Storage
package import Transparency

/// A witness's proof that the log was rolled back or forked, which lies in a file as long as the log contradicts it.
package enum Contradiction {
    /// What the log as it is contradicts of a checkpoint that it signed; nil where it begins with it.
    package static func fault(
        of seen: Checkpoint, keys: [NoteKey], in connection: any SQLConnection
    ) throws -> String? {
        var evidence = try LogEvidence(origin: seen.origin, keys: keys, in: connection)
        let size = evidence?.checkpoint.size ?? 0
        guard seen.size <= size else {
            return "the log has \(size) records, and a witness has cosigned \(seen.size) of it: it was rolled back"
        }
        guard try evidence?.root(seen.size) == seen.root else {
            return "a witness has cosigned other records among the first \(seen.size): the log was forked"
        }
        return nil
    }

    /// What the log contradicts of the proof in the file at `path`; nil where there is none, or the log begins with it.
    ///
    /// Core laid it down when it had judged the signature; the keys may have changed since. Throws what reading throws.
    package static func fault(
        at path: String, keys: [NoteKey], in connection: any SQLConnection
    ) throws -> String? {
        guard Files.exists(path) else { return nil }
        let seen = try Checkpoint(text: try SignedNote(try Files.read(path, atMost: SignedNote.longest)).text)
        return try fault(of: seen, keys: keys, in: connection)
    }

    /// Throws `.broken` where the log contradicts the proof at `path`, and removes one that it begins with: the log was
    /// completed since, by a better copy.
    static func settle(at path: String, _ database: Database, keys: [NoteKey]) async throws(AuditError) {
        guard Files.exists(path) else { return }
        let found: String?
        do {
            found = try await database.read { try fault(at: path, keys: keys, in: $0) }
            if found == nil { try Files.remove(path) }
        } catch { throw .unreadable("\(path): \(error)") }
        if let found { throw .broken("\(found); see docs/runbooks/audit-stopped.md") }
    }
}

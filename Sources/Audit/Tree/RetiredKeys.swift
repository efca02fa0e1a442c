import HPKI
import Storage
import Transparency

/// The checkpoint keys that the log says were retired.
struct RetiredKeys: Sendable {
    private(set) var keys: [NoteKey] = []

    /// All that any record tells of.
    ///
    /// Whoever forges such a record is found as with any other: this belongs to a verification of all of them.
    init(in connection: any SQLConnection) throws(StorageError) {
        // A leaf has its kind behind version, sequence and time.
        let rows = try connection.query(
            """
            SELECT detail FROM audit_entry WHERE substr(leaf, 18, 2) = $1
            AND instr(detail, $2) > 0
            """,
            [
                .blob([0, UInt8(EntryKind.administration.rawValue)]),
                .blob(Array(CheckpointKeyNote.retired.rawValue.utf8)),
            ])
        for row in rows {
            guard let note = (try? Detail(try row.blob("detail")))?.openings.first(where: { $0.field == .note })?.value,
                let text = CheckpointKeyNote.retired.key(in: note), let key = try? NoteKey(text)
            else { continue }
            keys.append(key)
        }
    }
}

extension SignedNote.Signature {
    /// Whether this claims to be by one of `keys`.
    func isBy(_ keys: [NoteKey]) -> Bool { keys.contains { $0.name == name && $0.keyID == keyID } }
}

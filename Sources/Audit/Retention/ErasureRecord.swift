import HPKI
import Storage

/// What the log tells of an erasure: which records, how many of which class, on what ground, and what archive has them.
///
/// It names no person, and is never erased itself, so that each detail that is gone is accounted for.
package struct ErasureRecord: Sendable, Hashable {
    /// The ground of what was kept for as long as it had to be.
    package static let expired = "retention-passed"
    private static let beginning = "details erased: "

    package let records: SequenceRanges
    package let counts: [RetentionClass: UInt64]
    package let ground: String
    /// The records before this one are in an archive; nil where that was not asked for.
    package let archived: UInt64?

    /// An erasure of these records with their classes; `ground` is a code (`isGround`).
    package init(_ records: [(sequence: UInt64, retentionClass: RetentionClass)], ground: String, archived: UInt64?) {
        self.records = SequenceRanges(records.map(\.sequence))
        counts = records.reduce(into: [:]) { $0[$1.retentionClass, default: 0] += 1 }
        self.ground = ground
        self.archived = archived
    }

    /// Whether a text may stand for a ground: 1 to 64 lower-case letters, digits and hyphens, too few for a story.
    package static func isGround(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    /// The note of the administration record (`docs/audit-format.md`, "Erasure").
    package var note: String {
        let classes = RetentionClass.allCases.compactMap { one in counts[one].map { "\($0) of \(one.name)" } }
        let archive = archived.map { "archive of \($0) records" } ?? "no archive"
        return Self.beginning + classes.joined(separator: ", ") + "; ground \(ground); \(archive); records "
            + records.text
    }

    /// The records that a note tells of; nil for a note about something else.
    static func records(toldBy note: String) -> SequenceRanges? {
        guard note.hasPrefix(beginning), let start = note.firstRange(of: "; records ")?.upperBound else { return nil }
        return SequenceRanges(text: note[start...])
    }

    /// The records that an entry tells of; nil where it is no erasure.
    static func records(toldBy leaf: Leaf, _ detail: Detail?) -> SequenceRanges? {
        guard leaf.kind == .administration, leaf.retentionClass() == .operations else { return nil }
        return detail?.openings.first { $0.field == .note }.flatMap { records(toldBy: $0.value) }
    }
}

extension AuditReader.Entry {
    /// Whether the record is one that a verification needs: it tells of an erasure or of a checkpoint key, names nobody,
    /// and is never erased.
    package var isNeverErased: Bool {
        guard leaf.kind == .administration, leaf.retentionClass() == .operations else { return false }
        let note = detail?.openings.first { $0.field == .note }?.value ?? ""
        return ErasureRecord.records(toldBy: note) != nil || CheckpointKeyNote.added.key(in: note) != nil
            || CheckpointKeyNote.retired.key(in: note) != nil
    }
}

extension AuditLog {
    /// Erases details and records it, all in one transaction: neither is ever there without the other.
    ///
    /// `step` erases what else is kept of these records. Throws `.refused` where one was erased meanwhile or `step`
    /// refuses, or `.stopped`.
    package func erase(_ erasure: ErasureRecord, step: @escaping Step) async throws(AuditError) {
        try await recordEvent(.administration, note: erasure.note) { connection, sequence in
            for number in erasure.records.ranges.joined() {
                let changed = try connection.execute(
                    "UPDATE audit_entry SET detail = NULL WHERE sequence = $1 AND detail IS NOT NULL",
                    [.integer(Int64(clamping: number))])
                guard changed == 1 else {
                    throw Failure(.wrongState, "Record \(number) was erased at the same time; ask again.")
                }
            }
            try step(connection, sequence)
        }
    }
}

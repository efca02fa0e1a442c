package import HPKI
package import Storage
import Transparency

/// Where the stored log ends.
package struct AuditStanding: Sendable, Hashable {
    package let size: UInt64
    /// 32 bytes.
    package let root: [UInt8]
    /// The time of the newest record; nil for an empty log.
    package let newest: Instant?

    /// Reads the newest commit and record; throws `.unexpectedValue` for what no writer wrote.
    package static func read(in connection: any SQLConnection) throws(StorageError) -> AuditStanding {
        let commit = try connection.queryOne("SELECT size, root FROM audit_commit ORDER BY size DESC LIMIT 1")
        guard let commit else { return AuditStanding(size: 0, root: MerkleTree().root, newest: nil) }
        let leaf = try connection.queryOne("SELECT leaf FROM audit_entry ORDER BY sequence DESC LIMIT 1")?.blob("leaf")
        return AuditStanding(
            size: UInt64(clamping: try commit.integer("size")), root: try commit.blob("root"),
            newest: leaf.flatMap { try? Leaf($0) }?.time)
    }
}

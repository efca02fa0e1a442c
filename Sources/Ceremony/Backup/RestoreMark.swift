package import HPKI
import Host

/// `data/restored`: says that an instance was made from a backup, until core has recorded it and suspended every key.
package struct RestoreMark: Sendable, Hashable, Codable {
    /// RFC 3339, UTC.
    package let time: String
    package let archive: HexBytes
    /// When the backup was made, RFC 3339, UTC.
    package let archiveMade: String
    /// What the audit log had when the backup was made.
    package let treeSize: UInt64
    package let treeRoot: HexBytes
    /// The names of the officers who restored it.
    package let officers: [String]

    /// Marks an instance that was made from this backup, in the file that core looks for; throws `.host`.
    package static func write(
        _ header: ArchiveHeader, present: PresentOfficers, now: Instant, at path: String
    ) throws(CeremonyError) {
        guard let time = now.rfc3339 else { throw .cryptography }
        let mark = RestoreMark(
            time: time, archive: header.id, archiveMade: header.made, treeSize: header.treeSize,
            treeRoot: header.treeRoot, officers: present.officers.map(\.identity.name))
        let bytes = try CustodyJSON.bytes(mark)
        try hosted { () throws(HostError) in try Files.write(bytes, to: path, replacing: false) }
    }
}

extension Ceremony {
    /// Has the officers sign that the instance was made again from a backup; gives the protocol's file.
    package func recordRestore(_ header: ArchiveHeader) throws(CeremonyError) -> String {
        try append(.restoreInstance, nil, archive: header.id)
    }
}

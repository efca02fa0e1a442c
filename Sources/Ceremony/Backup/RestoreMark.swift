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

    /// The mark's file below a home.
    package static func file(home: String) -> String { home + "/data/restored" }

    /// The mark of an instance, or nil; throws `.damaged`.
    package static func read(home: String) throws(CeremonyError) -> RestoreMark? {
        let path = file(home: home)
        guard Files.exists(path) else { return nil }
        let bytes = try hosted { () throws(HostError) in try Files.read(path, atMost: 65_536) }
        return try CustodyJSON.value(RestoreMark.self, from: bytes, at: path)
    }

    /// Takes the mark away, once what it asks for is durable; throws `.host`.
    package static func remove(home: String) throws(CeremonyError) {
        let path = file(home: home)
        try hosted { () throws(HostError) in try Files.remove(path) }
    }

    /// Marks an instance that was made from this backup; throws `.host`.
    package static func write(
        _ header: ArchiveHeader, present: PresentOfficers, now: Instant, home: String
    ) throws(CeremonyError) {
        guard let time = now.rfc3339 else { throw .cryptography }
        let mark = RestoreMark(
            time: time, archive: header.id, archiveMade: header.made, treeSize: header.treeSize,
            treeRoot: header.treeRoot, officers: present.officers.map(\.identity.name))
        let bytes = try CustodyJSON.bytes(mark)
        let path = file(home: home)
        try hosted { () throws(HostError) in try Files.write(bytes, to: path, replacing: false) }
    }
}

extension Ceremony {
    /// Has the officers sign that the instance was made again from a backup; gives the protocol's file.
    package func recordRestore(_ header: ArchiveHeader) throws(CeremonyError) -> String {
        try append(.restoreInstance, nil, archive: header.id)
    }
}

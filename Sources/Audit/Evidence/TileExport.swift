package import Storage
package import Transparency

/// The log as static files: checkpoint, tiles and entry bundles (C2SP tlog-tiles).
package enum TileExport {
    /// One file below the log's prefix.
    package struct File: Sendable {
        package let path: String
        package let bytes: [UInt8]

        /// A file of its parts.
        package init(path: String, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }
    }

    /// The paths of all tiles and bundles of the checkpoint's tree, bundles last.
    package static func places(_ size: UInt64) -> (tiles: [Tile], bundles: [Tile]) {
        ((0..<8).flatMap { Tile.all(level: $0, size: size) }, Tile.all(level: 0, size: size))
    }

    /// The bytes of a tile; throws what reading throws, and `.missing` where the tree does not have it.
    package static func tile(_ tile: Tile, in connection: any SQLConnection) throws(StorageError) -> File {
        let bytes = try TileTable.read(tile, in: connection)
        guard bytes.count == tile.width * 32 else { throw .missing }
        return File(path: tile.path, bytes: bytes)
    }

    /// The bundle of the leaves that a tile of level 0 hashes: `uint16` length and bytes of each (C2SP tlog-tiles, "Log
    /// entries"); throws as `tile` does.
    package static func bundle(_ tile: Tile, in connection: any SQLConnection) throws(StorageError) -> File {
        let rows = try connection.query(
            "SELECT leaf FROM audit_entry WHERE sequence >= $1 ORDER BY sequence LIMIT $2",
            [.integer(Int64(clamping: tile.number << 8)), .integer(Int64(tile.width))])
        guard rows.count == tile.width else { throw .missing }
        var bytes: [UInt8] = []
        for row in rows {
            let leaf = try row.blob("leaf")
            guard let length = UInt16(exactly: leaf.count) else { throw .unexpectedValue }
            bytes += [UInt8(length >> 8), UInt8(truncatingIfNeeded: length)] + leaf
        }
        return File(path: Tile.bundlePath(tile.number, width: tile.width), bytes: bytes)
    }
}

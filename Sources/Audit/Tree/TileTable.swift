import Storage
import Transparency

/// The stored tiles: all full ones, and those above level 0 that still grow.
///
/// The hashes of the newest leaves, up to 255, stand in no tile; they are hashed from their records.
enum TileTable {
    static func store(_ tile: Tile, _ hashes: [UInt8], in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO audit_tile (level, number, hashes) VALUES ($1, $2, $3)
            ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes
            """,
            [.integer(Int64(tile.level)), .integer(Int64(clamping: tile.number)), .blob(hashes)])
    }

    /// The stored hashes at a tile's place, which may be more or fewer than it has.
    static func hashes(at tile: Tile, in connection: any SQLConnection) throws(StorageError) -> [UInt8]? {
        try connection.queryOne(
            "SELECT hashes FROM audit_tile WHERE level = $1 AND number = $2",
            [.integer(Int64(tile.level)), .integer(Int64(clamping: tile.number))]
        )?.blob("hashes")
    }

    /// The bytes of a tile of a committed tree, shorter than its width where they are not there.
    static func read(_ tile: Tile, in connection: any SQLConnection) throws(StorageError) -> [UInt8] {
        // A tile only ever grows at its end, so a narrower one is its beginning.
        if let stored = try hashes(at: tile, in: connection) { return Array(stored.prefix(tile.width * 32)) }
        guard tile.level == 0 else { return [] }
        return try leafHashes(from: tile.number << 8, count: tile.width, in: connection)
    }

    /// The hashes of the leaves from `sequence` on.
    static func leafHashes(
        from sequence: UInt64, count: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [UInt8] {
        let rows = try connection.query(
            "SELECT leaf FROM audit_entry WHERE sequence >= $1 ORDER BY sequence LIMIT $2",
            [.integer(Int64(clamping: sequence)), .integer(Int64(count))])
        var hashes: [UInt8] = []
        for row in rows { hashes += MerkleTree.leafHash(try row.blob("leaf")) }
        return hashes
    }

    /// How many leaves the stored full tiles of level 0 hold, from the first on.
    static func tiledLeaves(in connection: any SQLConnection) throws(StorageError) -> UInt64 {
        let newest = try connection.queryOne("SELECT MAX(number) AS newest FROM audit_tile WHERE level = 0")?
            .optionalInteger("newest")
        return newest.map { (UInt64(clamping: $0) + 1) << 8 } ?? 0
    }

    /// The hashes of the tiles that a tree of `size` leaves has not filled, by level; fewer where they are not there.
    static func growing(size: UInt64, in connection: any SQLConnection) throws(StorageError) -> [[UInt8]] {
        var levels: [[UInt8]] = []
        for level in 0..<8 {
            let tile = TileEdge.tile(level, of: size)
            levels.append(tile.width == 0 ? [] : try read(tile, in: connection))
        }
        while levels.last?.isEmpty == true { levels.removeLast() }
        return levels
    }
}

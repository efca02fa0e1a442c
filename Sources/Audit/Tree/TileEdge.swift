import Transparency

/// The growing end of a tiled tree: at each level the tile that is not full yet.
struct TileEdge: Sendable, Hashable {
    private(set) var size: UInt64 = 0
    /// The hashes of the tile that grows, by level, 32 bytes each; fewer than 256.
    private(set) var levels: [[UInt8]] = []

    /// The edge of an empty tree.
    init() {}

    /// The edge of a tree of `size` leaves; nil where a tile does not have the hashes that the tree gives it.
    init?(size: UInt64, levels: [[UInt8]]) {
        for level in 0..<8 {
            let count = level < levels.count ? levels[level].count : 0
            guard count == Self.tile(level, of: size).width * 32 else { return nil }
        }
        self.size = size
        self.levels = levels
    }

    /// Appends a leaf by its hash, and gives every tile to be stored: each that became full, and each above level 0
    /// that grew, since its hashes stand nowhere else.
    mutating func append(_ leafHash: [UInt8]) -> [(tile: Tile, hashes: [UInt8])] {
        size += 1
        var (stored, hash, level): ([(tile: Tile, hashes: [UInt8])], [UInt8], Int) = ([], leafHash, 0)
        while true {
            if level == levels.count { levels.append([]) }
            levels[level] += hash
            let hashes = levels[level]
            let number = (size >> (8 * UInt64(level)) - 1) >> 8
            let isFull = hashes.count == Tile.fullWidth * 32
            if isFull || level > 0 {
                stored.append((Tile(level: level, number: number, width: hashes.count / 32), hashes))
            }
            guard isFull else { return stored }
            levels[level] = []
            hash = Self.root(hashes)
            level += 1
        }
    }

    /// The roots of the tree's complete subtrees from the largest to the smallest, as `MerkleTree` has them.
    var peaks: [[UInt8]] { levels.reversed().flatMap(Self.peaks(of:)) }

    private static func peaks(of hashes: [UInt8]) -> [[UInt8]] {
        let width = hashes.count / 32
        var (start, peaks) = (0, [[UInt8]]())
        for bit in stride(from: 7, through: 0, by: -1) where width >> bit & 1 == 1 {
            peaks.append(root(hashes[start * 32..<(start + 1 << bit) * 32]))
            start += 1 << bit
        }
        return peaks
    }

    /// The tile of a level that a tree of `size` leaves has not filled; its width may be 0.
    static func tile(_ level: Int, of size: UInt64) -> Tile {
        let shift = 8 * UInt64(level)
        return Tile(level: level, number: size >> (shift + 8), width: Int(size >> shift & 255))
    }

    /// The highest growing tile whose hashes, by level in `levels`, are not those of `tree`; nil where all are.
    static func spoilt(_ tree: MerkleTree, _ levels: [[UInt8]]) -> Tile? {
        var peaks = tree.peaks[...]
        for level in stride(from: 7, through: 0, by: -1) {
            let tile = tile(level, of: tree.size)
            let expected = peaks.prefix(tile.width.nonzeroBitCount)
            peaks = peaks.dropFirst(expected.count)
            let hashes = level < levels.count ? levels[level] : []
            if hashes.count != tile.width * 32 || Self.peaks(of: hashes) != Array(expected) { return tile }
        }
        return nil
    }

    /// The root over a power of two of hashes.
    private static func root(_ hashes: some RandomAccessCollection<UInt8>) -> [UInt8] {
        let bytes = Array(hashes)
        var row = stride(from: 0, to: bytes.count, by: 32).map { Array(bytes[$0..<$0 + 32]) }
        while row.count > 1 {
            row = stride(from: 0, to: row.count, by: 2).map { MerkleTree.nodeHash(row[$0], row[$0 + 1]) }
        }
        return row.first ?? []
    }
}

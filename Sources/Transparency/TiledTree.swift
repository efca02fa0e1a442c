/// A tree whose hashes lie in tiles: gives roots and proofs, reading each tile once.
///
/// `read` gives a tile's bytes, 32 for each hash, and throws what reading throws; a tile of another length than its
/// width has is taken for missing.
package struct TiledTree<Failure: Error> {
    package let size: UInt64
    private let read: (Tile) throws(Failure) -> [UInt8]
    private var tiles: [Tile: [UInt8]] = [:]

    /// Why a root or a proof was not given.
    package enum Fault: Error {
        case reading(Failure)
        /// A tile does not have the length of its width.
        case incomplete(Tile)
        /// What was asked for is not within the tree.
        case outside
    }

    /// A tree of so many leaves over a reader of its tiles.
    package init(size: UInt64, read: @escaping (Tile) throws(Failure) -> [UInt8]) {
        self.size = size
        self.read = read
    }

    /// The root over the first `count` leaves (RFC 9162 §2.1.1).
    package mutating func root(_ count: UInt64) throws(Fault) -> [UInt8] {
        guard count <= size else { throw .outside }
        return count == 0 ? MerkleTree().root : try hash(0..<count)
    }

    /// The proof that the leaf at `index` is among the first `count` (RFC 9162 §2.1.3.1).
    package mutating func inclusionProof(_ index: UInt64, in count: UInt64) throws(Fault) -> [[UInt8]] {
        guard count <= size, index < count else { throw .outside }
        var (leaves, proof) = (0..<count, [[UInt8]]())
        while leaves.count > 1 {
            let middle = Self.split(leaves)
            if index < middle {
                proof.append(try hash(middle..<leaves.upperBound))
                leaves = leaves.lowerBound..<middle
            } else {
                proof.append(try hash(leaves.lowerBound..<middle))
                leaves = middle..<leaves.upperBound
            }
        }
        return proof.reversed()
    }

    /// The proof that the first `count` leaves begin with the first `earlier` (RFC 9162 §2.1.4.1); empty where both
    /// are the same tree or the earlier one is empty.
    package mutating func consistencyProof(from earlier: UInt64, to count: UInt64) throws(Fault) -> [[UInt8]] {
        guard count <= size, earlier <= count else { throw .outside }
        guard earlier != 0 else { return [] }
        var (leaves, proof) = (0..<count, [[UInt8]]())
        while leaves.upperBound != earlier {
            let middle = Self.split(leaves)
            if earlier <= middle {
                proof.append(try hash(middle..<leaves.upperBound))
                leaves = leaves.lowerBound..<middle
            } else {
                proof.append(try hash(leaves.lowerBound..<middle))
                leaves = middle..<leaves.upperBound
            }
        }
        // The verifier knows the earlier root, so that it is left out where it is a complete subtree by itself.
        if leaves.lowerBound != 0 { proof.append(try hash(leaves)) }
        return proof.reversed()
    }

    /// Where the left subtree ends: behind the largest power of two below the count.
    private static func split(_ leaves: Range<UInt64>) -> UInt64 {
        let last = leaves.upperBound - leaves.lowerBound - 1
        return leaves.lowerBound + 1 << (63 - UInt64(last.leadingZeroBitCount))
    }

    /// The hash over leaves that begin at a multiple of the power of two that holds them.
    private mutating func hash(_ leaves: Range<UInt64>) throws(Fault) -> [UInt8] {
        let count = leaves.upperBound - leaves.lowerBound
        if count.nonzeroBitCount == 1 { return try node(height: count.trailingZeroBitCount, at: leaves.lowerBound) }
        let middle = Self.split(leaves)
        return MerkleTree.nodeHash(try hash(leaves.lowerBound..<middle), try hash(middle..<leaves.upperBound))
    }

    /// The hash over the complete subtree of `2^height` leaves that begins at `start`.
    private mutating func node(height: Int, at start: UInt64) throws(Fault) -> [UInt8] {
        let (level, rest) = height.quotientAndRemainder(dividingBy: 8)
        let first = start >> (8 * UInt64(level))
        let tile = Tile(level: level, holding: first, size: size)
        let bytes = try self.bytes(tile)
        let offset = Int(first & 255)
        var row = (offset..<offset + 1 << rest).map { Array(bytes[$0 * 32..<$0 * 32 + 32]) }
        while row.count > 1 {
            row = stride(from: 0, to: row.count, by: 2).map { MerkleTree.nodeHash(row[$0], row[$0 + 1]) }
        }
        return row[0]
    }

    private mutating func bytes(_ tile: Tile) throws(Fault) -> [UInt8] {
        if let known = tiles[tile] { return known }
        let bytes: [UInt8]
        do { bytes = try read(tile) } catch { throw .reading(error) }
        guard bytes.count == tile.width * 32 else { throw .incomplete(tile) }
        tiles[tile] = bytes
        return bytes
    }
}

extension TiledTree.Fault: Sendable where Failure: Sendable {}

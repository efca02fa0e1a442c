import HPKI

/// The growing end of an RFC 9162 Merkle tree: enough to append leaves and to name the root.
///
/// One hash is kept for each complete subtree on the tree's right edge, so that a tree of any size needs at most 64.
package struct MerkleTree: Sendable, Hashable {
    package private(set) var size: UInt64 = 0
    /// The roots of the complete subtrees from the largest to the smallest, 32 bytes each.
    package private(set) var peaks: [[UInt8]] = []

    /// The empty tree.
    package init() {}

    /// A tree of so many leaves by the roots of its complete subtrees; nil unless there is one of 32 bytes for each.
    package init?(size: UInt64, peaks: [[UInt8]]) {
        guard peaks.count == size.nonzeroBitCount, peaks.allSatisfy({ $0.count == 32 }) else { return nil }
        self.size = size
        self.peaks = peaks
    }

    /// The hash of a leaf (RFC 9162 §2.1.1: `HASH(0x00 || d)`).
    package static func leafHash(_ leaf: [UInt8]) -> [UInt8] {
        Digest(of: [0] + leaf).bytes
    }

    /// Appends a leaf by its bytes.
    package mutating func append(_ leaf: [UInt8]) {
        append(hash: Self.leafHash(leaf))
    }

    /// Appends a leaf by its hash, 32 bytes.
    package mutating func append(hash leaf: [UInt8]) {
        var hash = leaf
        // Each trailing one bit of the size is a complete subtree that the new leaf's subtree closes.
        var rest = size
        while rest & 1 == 1, let left = peaks.popLast() {
            hash = Self.nodeHash(left, hash)
            rest >>= 1
        }
        peaks.append(hash)
        size += 1
    }

    /// The root over all leaves, 32 bytes (RFC 9162 §2.1.1); the hash of nothing for the empty tree.
    package var root: [UInt8] {
        guard var hash = peaks.last else { return Digest(of: []).bytes }
        for left in peaks.dropLast().reversed() {
            hash = Self.nodeHash(left, hash)
        }
        return hash
    }

    /// The hash of two subtrees (RFC 9162 §2.1.1: `HASH(0x01 || left || right)`).
    package static func nodeHash(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        Digest(of: [1] + left + right).bytes
    }
}

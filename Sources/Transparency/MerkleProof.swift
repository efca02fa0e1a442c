/// Verifies proofs of RFC 9162 §2.1; every function is total, and a proof with a hash too many or too few fails.
package enum MerkleProof {
    /// Whether `proof` leads from a leaf's hash at `index` to the root of a tree of `size` leaves (RFC 9162 §2.1.3.2).
    package static func includes(
        _ leafHash: [UInt8], at index: UInt64, size: UInt64, root: [UInt8], proof: [[UInt8]]
    ) -> Bool {
        guard index < size, isHash(leafHash), isHash(root), proof.allSatisfy(isHash) else { return false }
        var (node, last, hash) = (index, size - 1, leafHash)
        for sibling in proof {
            guard last != 0 else { return false }
            if node & 1 == 1 || node == last {
                hash = MerkleTree.nodeHash(sibling, hash)
                // On the right edge the levels without a sibling have no hash in the proof.
                while node & 1 == 0, node != 0 { (node, last) = (node >> 1, last >> 1) }
            } else {
                hash = MerkleTree.nodeHash(hash, sibling)
            }
            (node, last) = (node >> 1, last >> 1)
        }
        return last == 0 && hash == root
    }

    /// Whether `proof` shows that the tree of `size` leaves begins with that of `earlierSize` (RFC 9162 §2.1.4.2).
    ///
    /// False for an empty earlier tree, with which every tree agrees, unless both are empty: nothing is proven then.
    package static func isConsistent(
        earlierSize: UInt64, earlierRoot: [UInt8], size: UInt64, root: [UInt8], proof: [[UInt8]]
    ) -> Bool {
        guard earlierSize > 0 else {
            let empty = MerkleTree().root
            return size == 0 && proof.isEmpty && earlierRoot == empty && root == empty
        }
        return isConsistent(0..<earlierSize, subtreeRoot: earlierRoot, size: size, root: root, proof: proof)
    }

    /// Whether `proof` leads from a leaf's hash to the root of the subtree over `leaves` (draft-ietf-plants-merkle-tree-certs,
    /// "Subtree Inclusion Proofs").
    package static func includes(
        _ leafHash: [UInt8], at index: UInt64, in leaves: Range<UInt64>, root: [UInt8], proof: [[UInt8]]
    ) -> Bool {
        guard isSubtree(leaves), leaves.contains(index) else { return false }
        return includes(
            leafHash, at: index - leaves.lowerBound, size: leaves.upperBound - leaves.lowerBound, root: root,
            proof: proof)
    }

    /// Whether `proof` shows that the subtree over `leaves` is part of the tree of `size` leaves
    /// (draft-ietf-plants-merkle-tree-certs, "Subtree Consistency Proofs"; of which RFC 9162 §2.1.4.2 is the case of a
    /// subtree that begins at 0).
    package static func isConsistent(
        _ leaves: Range<UInt64>, subtreeRoot: [UInt8], size: UInt64, root: [UInt8], proof: [[UInt8]]
    ) -> Bool {
        guard leaves.upperBound <= size, proof.allSatisfy(isHash) else { return false }
        guard !leaves.isEmpty else { return proof.isEmpty && subtreeRoot == MerkleTree().root }
        guard isSubtree(leaves) else { return false }
        var (first, last, end) = (leaves.lowerBound, leaves.upperBound - 1, size - 1)
        func shifted() -> (UInt64, UInt64, UInt64) { (first >> 1, last >> 1, end >> 1) }
        if last == end {
            while first != last { (first, last, end) = shifted() }
        } else {
            while first != last, last & 1 == 1 { (first, last, end) = shifted() }
        }
        var rest = proof[...]
        // Where the subtree is no complete one, the proof begins with the last complete part of it.
        guard let start = first == last ? subtreeRoot : rest.popFirst() else { return false }
        var (subtreeHash, hash) = (start, start)
        for sibling in rest {
            guard end != 0 else { return false }
            if last & 1 == 1 || last == end {
                if first < last { subtreeHash = MerkleTree.nodeHash(sibling, subtreeHash) }
                hash = MerkleTree.nodeHash(sibling, hash)
                while last & 1 == 0, last != 0 { (first, last, end) = shifted() }
            } else {
                hash = MerkleTree.nodeHash(hash, sibling)
            }
            (first, last, end) = shifted()
        }
        return end == 0 && subtreeHash == subtreeRoot && hash == root
    }

    /// Whether these leaves are one subtree: they begin at a multiple of the power of two that holds them.
    private static func isSubtree(_ leaves: Range<UInt64>) -> Bool {
        let count = leaves.upperBound - leaves.lowerBound
        guard count > 0, count <= 1 << 63 else { return false }
        let width: UInt64 = count == 1 ? 1 : 1 << (64 - UInt64((count - 1).leadingZeroBitCount))
        return leaves.lowerBound & (width - 1) == 0
    }

    private static func isHash(_ bytes: [UInt8]) -> Bool { bytes.count == 32 }
}

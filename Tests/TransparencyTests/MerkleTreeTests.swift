import HPKI
import Testing
import Transparency

@Suite struct MerkleTreeTests {
    /// RFC 9162 §2.1.1 as it is written there: split at the largest power of two smaller than n.
    private func naive(_ leaves: ArraySlice<[UInt8]>) -> [UInt8] {
        guard let first = leaves.first else { return Digest(of: []).bytes }
        guard leaves.count > 1 else { return Digest(of: [0] + first).bytes }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        let middle = leaves.startIndex + split
        return Digest(of: [1] + naive(leaves[..<middle]) + naive(leaves[middle...])).bytes
    }

    @Test func `the root is that of the recursive definition for every size from 0 to 200`() {
        let leaves = (0..<200).map { Array("leaf \($0)".utf8) }
        var tree = MerkleTree()
        #expect(Hex.encode(tree.root) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        for (index, leaf) in leaves.enumerated() {
            tree.append(leaf)
            #expect(tree.size == UInt64(index + 1))
            #expect(tree.root == naive(leaves[...index]))
        }
    }
}

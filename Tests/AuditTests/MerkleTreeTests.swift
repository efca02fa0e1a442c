import Audit
import Foundation
import HPKI
import Testing

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

    /// The eight leaves that the vectors of Certificate Transparency are about.
    private static let known =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
        + ["606162636465666768696a6b6c6d6e6f"]

    @Test func `the roots are those of the transparency vectors`() throws {
        guard let folder = ProcessInfo.processInfo.environment["SHIRUSHI_VECTORS"] else {
            return print("SHIRUSHI_VECTORS is not set: the Merkle vectors were not read")
        }
        struct Vector: Decodable {
            let size1, size2: Int
            let root1, root2: Data
        }
        struct Inclusion: Decodable {
            let treeSize: Int
            let root: Data
        }
        var roots: [[UInt8]] = []
        var tree = MerkleTree()
        roots.append(tree.root)
        for leaf in Self.known {
            tree.append(try #require(Hex.decode(leaf)))
            roots.append(tree.root)
        }
        var compared = 0
        for kind in ["consistency", "inclusion"] {
            let base = URL(filePath: folder).appending(path: "merkle/testdata/\(kind)")
            for name in try FileManager.default.contentsOfDirectory(atPath: base.path()) {
                let file = base.appending(path: "\(name)/happy-path.json")
                guard let data = try? Data(contentsOf: file) else { continue }
                let pairs: [(Int, Data)]
                if kind == "consistency" {
                    let vector = try JSONDecoder().decode(Vector.self, from: data)
                    pairs = [(vector.size1, vector.root1), (vector.size2, vector.root2)]
                } else {
                    let vector = try JSONDecoder().decode(Inclusion.self, from: data)
                    pairs = [(vector.treeSize, vector.root)]
                }
                for (size, root) in pairs where roots.indices.contains(size) {
                    #expect(roots[size] == Array(root), "\(kind)/\(name), size \(size)")
                    compared += 1
                }
            }
        }
        #expect(compared >= 10)
    }
}

import HPKI
import Testing
import Transparency

@Suite struct ProofTests {
    @Test func `every leaf of trees up to 70 leaves has a proof, and it holds for that leaf alone`() throws {
        let made = MadeTree(70)
        for size in 1...70 {
            var tree = made.tiled(size)
            let root = made.root(size)
            #expect(try tree.root(UInt64(size)) == root)
            for index in 0..<size {
                let proof = try tree.inclusionProof(UInt64(index), in: UInt64(size))
                func holds(_ hash: [UInt8], _ index: Int, _ proof: [[UInt8]]) -> Bool {
                    MerkleProof.includes(hash, at: UInt64(index), size: UInt64(size), root: root, proof: proof)
                }
                #expect(holds(made.hash(index), index, proof))
                #expect(!holds(made.hash((index + 1) % 70), index, proof))
                #expect(!holds(made.hash(index), index, proof + [root]))
                #expect(!holds(made.hash(index), index, proof.dropLast()) || proof.isEmpty)
                if size > 1 { #expect(!holds(made.hash(index), (index + 1) % size, proof)) }
            }
        }
    }

    @Test func `every tree up to 40 leaves is consistent with every one before it`() throws {
        let made = MadeTree(40)
        for size in 1...40 {
            var tree = made.tiled(size)
            for earlier in 1...size {
                let proof = try tree.consistencyProof(from: UInt64(earlier), to: UInt64(size))
                func holds(_ earlierRoot: [UInt8], _ root: [UInt8], _ proof: [[UInt8]]) -> Bool {
                    MerkleProof.isConsistent(
                        earlierSize: UInt64(earlier), earlierRoot: earlierRoot, size: UInt64(size), root: root,
                        proof: proof)
                }
                #expect(holds(made.root(earlier), made.root(size), proof), "\(earlier) of \(size)")
                #expect(!holds(made.hash(0), made.root(size), proof) || earlier == 1)
                #expect(!holds(made.root(earlier), made.root(size - 1), proof))
                #expect(!holds(made.root(earlier), made.root(size), proof + [made.hash(1)]))
            }
        }
    }

    @Test func `proofs reach over tiles of two levels`() throws {
        let size = 66_000
        let made = MadeTree(size)
        var tree = made.tiled(size)
        let root = made.root(size)
        for index in [0, 255, 256, 65_535, 65_536, 65_791, 65_999] {
            let proof = try tree.inclusionProof(UInt64(index), in: UInt64(size))
            #expect(
                MerkleProof.includes(
                    made.hash(index), at: UInt64(index), size: UInt64(size), root: root, proof: proof))
        }
        for earlier in [1, 256, 300, 65_536, 65_900] {
            let proof = try tree.consistencyProof(from: UInt64(earlier), to: UInt64(size))
            #expect(
                MerkleProof.isConsistent(
                    earlierSize: UInt64(earlier), earlierRoot: made.root(earlier), size: UInt64(size), root: root,
                    proof: proof))
        }
    }

    @Test func `what is not in the tree, and a tile that is cut short, gives no proof`() {
        var tree = MadeTree(10).tiled(10)
        #expect(throws: (any Error).self) { try tree.inclusionProof(10, in: 10) }
        #expect(throws: (any Error).self) { try tree.inclusionProof(0, in: 11) }
        #expect(throws: (any Error).self) { try tree.consistencyProof(from: 6, to: 5) }
        #expect(throws: (any Error).self) { try tree.root(11) }
        var short = TiledTree<Never>(size: 10) { _ in [1, 2, 3] }
        #expect(throws: (any Error).self) { try short.inclusionProof(3, in: 10) }
    }
}

@Suite struct TilePathTests {
    @Test func `paths are those of the format's own examples`() {
        #expect(Tile(level: 0, number: 1_234_067).path == "tile/0/x001/x234/067")
        #expect(Tile(level: 0, number: 273, width: 112).path == "tile/0/273.p/112")
        #expect(Tile.bundlePath(1000, width: 7) == "tile/entries/x001/000.p/7")
        #expect(Tile.bundlePath(0) == "tile/entries/000")
    }

    @Test func `a tree of 70,000 leaves has the tiles that the format counts up`() {
        let level0 = Tile.all(level: 0, size: 70_000)
        #expect(level0.count == 274 && level0.last?.width == 112)
        let level1 = Tile.all(level: 1, size: 70_000)
        #expect(level1.map(\.width) == [256, 17])
        #expect(Tile.all(level: 2, size: 70_000).map(\.width) == [1])
        #expect(Tile.all(level: 3, size: 70_000).isEmpty)
        #expect(Tile.all(level: 1, size: 256).map(\.width) == [1])
    }
}

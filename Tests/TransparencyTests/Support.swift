import Foundation
import HPKI
import Testing
import Transparency

/// The folder with foreign vectors; nil, said in one line, where it is not set.
func vectors(_ name: String) -> URL? {
    guard let folder = ProcessInfo.processInfo.environment["SHIRUSHI_VECTORS"] else {
        print("SHIRUSHI_VECTORS is not set: the vectors of \(name) were not read")
        return nil
    }
    return URL(filePath: folder).appending(path: name)
}

/// A tree of made leaves with all its tiles at hand.
struct MadeTree {
    let leaves: [[UInt8]]

    init(_ count: Int) {
        leaves = (0..<count).map { Array("leaf \($0)".utf8) }
    }

    func root(_ count: Int) -> [UInt8] {
        var tree = MerkleTree()
        for leaf in leaves.prefix(count) { tree.append(leaf) }
        return tree.root
    }

    func hash(_ index: Int) -> [UInt8] { MerkleTree.leafHash(leaves[index]) }

    /// The tile by its definition: each hash is the root over its own leaves (C2SP tlog-tiles).
    func tile(_ tile: Tile) -> [UInt8] {
        let span = 1 << (8 * tile.level)
        return (0..<tile.width).flatMap { offset in
            let first = (Int(tile.number) * 256 + offset) * span
            var tree = MerkleTree()
            for leaf in leaves[first..<first + span] { tree.append(leaf) }
            return tree.root
        }
    }

    func tiled(_ size: Int) -> TiledTree<Never> {
        TiledTree(size: UInt64(size)) { tile in self.tile(tile) }
    }
}

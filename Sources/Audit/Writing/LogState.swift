import HPKI
import Transparency

/// Where the log stands: its tree, the time of its newest entry, and the intents that no outcome closes.
struct LogState: Sendable, Hashable {
    var tree = MerkleTree()
    var time = Instant(milliseconds: 0)
    var openIntents: Set<UInt64> = []

    var head: TreeHead { TreeHead(size: tree.size, root: tree.root) }

    /// Opens or closes the intent that `leaf` tells of; false for an outcome of none that is open.
    @discardableResult mutating func note(_ leaf: Leaf) -> Bool {
        switch (leaf.kind, leaf.intent) {
        case (.intent, _): openIntents.insert(leaf.sequence).inserted
        case (.outcome, let intent?): openIntents.remove(intent) != nil
        case (.outcome, nil): false
        default: true
        }
    }
}

/// What the writer goes on from: where the log stands, and the tiles that grow.
struct WriterState: Sendable {
    var log = LogState()
    var edge = TileEdge()

    /// Appends a leaf, and gives the tiles to be stored.
    mutating func append(_ leaf: [UInt8]) -> [(tile: Tile, hashes: [UInt8])] {
        let hash = MerkleTree.leafHash(leaf)
        log.tree.append(hash: hash)
        return edge.append(hash)
    }
}

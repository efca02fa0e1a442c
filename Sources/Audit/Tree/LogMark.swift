import HPKI
import Host
import Transparency

/// A point up to which every leaf was hashed, sealed under the log key, so that a start need not hash them again.
///
/// `data/audit.mark` holds the newest. It only ever saves time: a start without one, or with one whose seal does not
/// hold, hashes the whole log, and what a start took from a mark is hashed again while core serves (`AuditRecheck`).
struct LogMark: Sendable, Hashable {
    let state: LogState

    /// The mark's bytes: version, size, the roots of the complete subtrees, the time of the newest record in
    /// milliseconds, the numbers of the open intents, and HMAC-SHA-256 over them.
    func sealed(by key: LogKey) -> [UInt8] {
        var writer = WireWriter(capacity: 2048)
        writer.uint8(1)
        writer.integer(state.tree.size)
        for peak in state.tree.peaks { writer.raw(peak) }
        writer.integer(state.time.milliseconds)
        writer.list(state.openIntents.sorted()) { $0.integer($1) }
        return writer.bytes + key.seal(writer.bytes)
    }

    /// Reads a mark; nil for one that this key did not seal.
    init?(sealed bytes: [UInt8], by key: LogKey) {
        let body = Array(bytes.dropLast(32))
        guard key.holds(Array(bytes.suffix(32)), over: body) else { return nil }
        do throws(WireError) {
            var reader = WireReader(body)
            guard try reader.uint8() == 1 else { return nil }
            let size: UInt64 = try reader.integer()
            var peaks: [[UInt8]] = []
            for _ in 0..<size.nonzeroBitCount { peaks.append(try reader.raw(32)) }
            guard let tree = MerkleTree(size: size, peaks: peaks) else { return nil }
            let time = Instant(milliseconds: try reader.integer())
            let open = try reader.list(atMost: Int(UInt16.max)) { reader throws(WireError) in
                try reader.integer(UInt64.self)
            }
            state = LogState(tree: tree, time: time, openIntents: Set(open))
        } catch { return nil }
    }

    init(_ state: LogState) {
        self.state = state
    }
}

/// Where the mark stands, and how often one is made.
package struct LogMarkFile: Sendable {
    package let path: String
    /// One mark for so many records; the most that a start hashes before it serves.
    let interval: UInt64

    /// The mark at `path`; a start then hashes some `interval` records at most.
    package init(_ path: String, every interval: UInt64 = 32_768) {
        self.path = path
        self.interval = interval
    }

    /// The newest mark; nil where there is none that the key sealed.
    func read(_ key: LogKey) -> LogMark? {
        (try? Files.read(path, atMost: 1 << 20)).flatMap { LogMark(sealed: $0, by: key) }
    }

    /// Marks `state` where one is due since `earlier` records.
    func advance(to state: LogState, since earlier: UInt64, _ key: LogKey) throws(HostError) {
        // A list of intents that its count cannot hold is not marked: the next one will do.
        guard state.tree.size / interval > earlier / interval, state.openIntents.count < UInt16.max else { return }
        try Files.write(LogMark(state).sealed(by: key), to: path)
    }

    /// The next start hashes everything.
    func remove() { try? Files.remove(path) }
}

import HPKI
package import Host
package import Storage
package import Transparency

/// A log whose every leaf was hashed again and whose head agreed; the only thing that a writer starts on.
package struct VerifiedLog: Sendable {
    let database: Database
    let head: DurableHead
    let state: LogState
    let edge: TileEdge
    let markFile: LogMarkFile?
    /// What is to be hashed again while core serves; nil when all was hashed just now.
    package let recheck: AuditRecheck?
    /// How many records the log has.
    package var size: UInt64 { state.tree.size }
    /// The root over them.
    package var root: [UInt8] { state.tree.root }
    /// The intents that no outcome closes, oldest first.
    package var openIntents: [UInt64] { state.openIntents.sorted() }
}

/// What a verification of the whole log found.
package struct LogReport: Sendable {
    package let size: UInt64
    /// 32 bytes.
    package let root: [UInt8]
    package let openIntents: Int
    /// How many commits' checkpoints were checked against the keys given.
    package let checkpoints: UInt64
    /// How many details are erased, each as a record tells.
    package let erased: UInt64
    /// Empty when everything holds; otherwise one sentence a fault, naming the record.
    package let faults: [String]
}

/// Reads the whole log and compares it with its head.
package enum AuditVerifier {
    /// Makes the head of an empty log; throws when one exists.
    package static func create(headAt path: String, key: LogKey) throws(HostError) {
        _ = try DurableHead.create(at: path, value: TreeHead(size: 0, root: MerkleTree().root).sealed(by: key))
    }

    /// Opens a log for its writer; blocks, and throws `.broken` naming the record for anything that does not hold.
    ///
    /// With a mark, the leaves from the newest mark on are hashed, and the log's `recheck` has the earlier ones.
    /// Entries behind the head are those of a commit that was not answered before a crash: they are whole and sealed,
    /// or absent, so the head moves on to them. A store that is shorter than its head has lost its tail.
    package static func open(
        _ database: Database, headAt path: String, markAt file: LogMarkFile? = nil, key: LogKey
    ) throws(AuditError) -> VerifiedLog {
        let head: DurableHead
        do { head = try DurableHead.open(at: path) } catch { throw .unreadable("\(error)") }
        let mark = file?.read(key)
        let scan: AuditScan
        let edge: TileEdge
        do throws(AuditError) {
            scan = try self.scan(database, from: mark, against: head.value, key)
            if let fault = scan.faults.first { throw .broken(fault) }
            edge = try tiled(database, scan.state)
        } catch {
            file?.remove()
            // What a start from a mark cannot name, hashing everything can.
            if mark != nil, case .broken = error,
                let whole = try? self.scan(database, from: nil, against: head.value, key),
                let fault = whole.faults.first
            {
                throw .broken(fault)
            }
            throw error
        }
        do {
            try head.store(scan.state.head.sealed(by: key))
            try file?.advance(to: scan.state, since: mark?.state.tree.size ?? 0, key)
        } catch { throw .unreadable("\(error)") }
        let recheck = mark.map { AuditRecheck(database: database, key: key, mark: $0) }
        return VerifiedLog(
            database: database, head: head, state: scan.state, edge: edge, markFile: file, recheck: recheck)
    }

    private static func scan(
        _ database: Database, from mark: LogMark?, against sealedHead: [UInt8], _ key: LogKey
    ) throws(AuditError) -> AuditScan {
        let head = try TreeHead(sealed: sealedHead, by: key)
        if let mark, mark.state.tree.size > head.size {
            throw .broken("the head counts \(head.size) records, and there were \(mark.state.tree.size) before")
        }
        do {
            return try database.readBlocking { connection in
                var scan = AuditScan(key: key, state: mark?.state ?? LogState(), heads: [head])
                scan.checkHeads()
                while try scan.advance(upTo: UInt64(Int64.max), connection) {}
                if scan.faults.isEmpty { try scan.checkEnd(connection) }
                return scan
            }
        } catch { throw .unreadable("\(error)") }
    }

    /// The growing tiles, after those that an earlier release did not store are made from the leaves.
    private static func tiled(_ database: Database, _ state: LogState) throws(AuditError) -> TileEdge {
        do {
            try makeTiles(database, upTo: state.tree.size)
            let levels = try database.readBlocking { try TileTable.growing(size: state.tree.size, in: $0) }
            guard let edge = TileEdge(size: state.tree.size, levels: levels), edge.peaks == state.tree.peaks else {
                let spoilt = TileEdge.spoilt(state.tree, levels).map { ": \($0.path) is not that of its records" } ?? ""
                throw AuditError.broken("the tiles do not give the root over the \(state.tree.size) records\(spoilt)")
            }
            return edge
        } catch let error as AuditError { throw error } catch { throw .unreadable("\(error)") }
    }

    private static func makeTiles(_ database: Database, upTo size: UInt64) throws {
        let first = try database.readBlocking { try TileTable.tiledLeaves(in: $0) }
        guard first < size & ~255 else { return }
        guard first == 0 else {
            throw AuditError.broken("the tiles end at record \(first), and the log has \(size)")
        }
        var edge = TileEdge()
        while edge.size < size & ~255 {
            edge = try database.writeBlocking { [edge] connection in
                var next = edge
                let count = Int(min(4096, size & ~255 - edge.size))
                let hashes = try TileTable.leafHashes(from: edge.size, count: count, in: connection)
                for start in stride(from: 0, to: hashes.count, by: 32) {
                    for (tile, hashes) in next.append(Array(hashes[start..<start + 32])) {
                        try TileTable.store(tile, hashes, in: connection)
                    }
                }
                return next
            }
        }
    }

    /// Checks every leaf, every disclosed field, every tile and the head, and reports all faults; blocks, beside the
    /// writer too.
    ///
    /// `saved` are checkpoints kept elsewhere: the log must begin with each. `keys` are those that sign the commits'
    /// checkpoints, `witnesses` those whose cosignatures must hold. `progress` is told how many of how many records are done.
    /// Throws `.broken` for a head that the instance did not seal, and `.unreadable`.
    package static func report(
        _ database: Database, headAt path: String, key: LogKey, saved: [Checkpoint] = [], keys: [NoteKey] = [],
        witnesses: [NoteKey] = [], progress: (UInt64, UInt64) -> Void = { _, _ in }
    ) throws(AuditError) -> LogReport {
        let value: [UInt8]
        do { value = try DurableHead.open(at: path).value } catch { throw .unreadable("\(error)") }
        let head = try TreeHead(sealed: value, by: key)
        let heads = [head] + saved.map { TreeHead(size: $0.size, root: $0.root) }
        var scan = AuditScan(key: key, heads: heads, isWhole: true, keys: keys)
        scan.witnesses = witnesses
        do {
            scan.checkHeads()
            // What is committed from here on is not of this report; a transaction for each piece, since a long one
            // would keep the database from giving its journal back.
            let end = try database.readBlocking { max(head.size, try AuditScan.committed($0)) }
            scan.end = end
            var isEnd = false
            while !isEnd {
                (scan, isEnd) = try database.readBlocking { [scan] connection in
                    var next = scan
                    let isEnd = try !next.advance(upTo: end, connection)
                    return (next, isEnd)
                }
                progress(min(scan.state.tree.size, end), end)
            }
            scan = try database.readBlocking { [scan] connection in
                var last = scan
                if last.faults.isEmpty { try last.checkEnd(connection) }
                return last
            }
        } catch { throw .unreadable("\(error)") }
        return LogReport(
            size: scan.state.tree.size, root: scan.state.tree.root, openIntents: scan.state.openIntents.count,
            checkpoints: scan.checkpoints, erased: scan.erased, faults: scan.faults)
    }
}

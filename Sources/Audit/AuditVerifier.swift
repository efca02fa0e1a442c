import HPKI
package import Host
package import Storage

/// A log whose every leaf was hashed again and whose head agreed; the only thing that a writer starts on.
package struct VerifiedLog: Sendable {
    let database: Database
    let head: DurableHead
    let state: LogState
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
        let scan: Scan
        do throws(AuditError) {
            scan = try self.scan(database, from: mark, against: head.value, key, checkingDetails: false)
            if let fault = scan.faults.first { throw .broken(fault) }
        } catch {
            file?.remove()
            throw error
        }
        do {
            try head.store(scan.state.head.sealed(by: key))
            try file?.advance(to: scan.state, since: mark?.state.tree.size ?? 0, key)
        } catch { throw .unreadable("\(error)") }
        let recheck = mark.map { AuditRecheck(database: database, key: key, mark: $0) }
        return VerifiedLog(database: database, head: head, state: scan.state, markFile: file, recheck: recheck)
    }

    /// Checks every leaf, every disclosed field and the head, and reports all faults; blocks.
    package static func report(
        _ database: Database, headAt path: String, key: LogKey
    ) throws(AuditError) -> (leaves: UInt64, root: [UInt8], openIntents: Int, faults: [String]) {
        let value: [UInt8]
        do { value = try DurableHead.open(at: path).value } catch { throw .unreadable("\(error)") }
        let scan = try scan(database, from: nil, against: value, key, checkingDetails: true)
        return (scan.state.tree.size, scan.state.tree.root, scan.state.openIntents.count, scan.faults)
    }

    /// How far the log was hashed, and what did not hold.
    struct Scan: Sendable {
        var state = LogState()
        var head: TreeHead?
        var checkingDetails = false
        var faults: [String] = []
    }

    private static func scan(
        _ database: Database, from mark: LogMark?, against sealedHead: [UInt8], _ key: LogKey, checkingDetails: Bool
    ) throws(AuditError) -> Scan {
        let head = try TreeHead(sealed: sealedHead, by: key)
        if let mark, mark.state.tree.size > head.size {
            throw .broken("the head counts \(head.size) records, and there were \(mark.state.tree.size) before")
        }
        do {
            return try database.readBlocking { connection in
                var scan = Scan(state: mark?.state ?? LogState(), head: head, checkingDetails: checkingDetails)
                check(head, &scan)
                while try advance(&scan, upTo: UInt64(Int64.max), key, connection) {}
                if scan.faults.isEmpty { try checkEnd(head, &scan, connection) }
                return scan
            }
        } catch { throw .unreadable("\(error)") }
    }

    /// Hashes the next thousand records of those before `end`; false once there are none or too many faults.
    static func advance(
        _ scan: inout Scan, upTo end: UInt64, _ key: LogKey, _ connection: any SQLConnection
    ) throws(StorageError) -> Bool {
        let size = scan.state.tree.size
        let rows = try connection.query(
            // Details are most of a record; a start has no use for them.
            """
            SELECT sequence, leaf, \(scan.checkingDetails ? "detail" : "NULL AS detail") FROM audit_entry
            WHERE sequence >= $1 ORDER BY sequence LIMIT $2
            """,
            [.integer(Int64(size)), .integer(Int64(min(1000, end - min(end, size))))]
        )
        guard !rows.isEmpty else { return false }
        let commits = try commits(after: size, count: rows.count, in: connection)
        for row in rows {
            guard scan.faults.count < faultLimit else { return false }
            let sequence = UInt64(clamping: try row.integer("sequence"))
            guard sequence == scan.state.tree.size else {
                scan.faults.append("record \(scan.state.tree.size) is missing")
                return false
            }
            take(try row.blob("leaf"), sequence, &scan)
            if scan.checkingDetails, let detail = try row.optionalBlob("detail") {
                check(detail, of: try row.blob("leaf"), sequence, &scan)
            }
            if let head = scan.head { check(head, &scan) }
            if let commit = commits[scan.state.tree.size] { check(commit, key, &scan) }
        }
        return true
    }

    /// Reports name so many faults at most: one tells that the log is broken.
    private static let faultLimit = 100

    private typealias Commit = (root: [UInt8], seal: [UInt8])

    private static func commits(
        after size: UInt64, count: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [UInt64: Commit] {
        var commits: [UInt64: Commit] = [:]
        let rows = try connection.query(
            "SELECT size, root, seal FROM audit_commit WHERE size > $1 AND size <= $2",
            [.integer(Int64(size)), .integer(Int64(size) + Int64(count))]
        )
        for row in rows {
            commits[UInt64(clamping: try row.integer("size"))] = (try row.blob("root"), try row.blob("seal"))
        }
        return commits
    }

    private static func check(_ commit: Commit, _ key: LogKey, _ scan: inout Scan) {
        let head = scan.state.head
        if commit.root != head.root || !head.holds(commit.seal, by: key) {
            scan.faults.append("the commit of the records up to \(head.size) does not hold")
        }
    }

    /// The records end where the newest commit says, and not before the head.
    private static func checkEnd(
        _ head: TreeHead, _ scan: inout Scan, _ connection: any SQLConnection
    ) throws(StorageError) {
        let size = scan.state.tree.size
        // No reader comes past these rows, so nothing else would tell of them.
        if try connection.queryOne("SELECT sequence FROM audit_entry WHERE sequence < 0 LIMIT 1") != nil {
            scan.faults.append("a record has a number below 0")
        }
        if try connection.queryOne("SELECT size FROM audit_commit WHERE size <= 0 LIMIT 1") != nil {
            scan.faults.append("a commit counts no records")
        }
        let newest = try connection.queryOne("SELECT MAX(size) AS size FROM audit_commit")?.optionalInteger("size")
        let committed = UInt64(clamping: newest ?? 0)
        let counted = max(head.size, committed)
        if size < counted {
            scan.faults.append("record \(size) and later are missing: \(counted) records were committed")
        } else if committed < size {
            scan.faults.append("record \(committed) and later belong to no commit")
        }
    }

    private static func take(_ bytes: [UInt8], _ sequence: UInt64, _ scan: inout Scan) {
        scan.state.tree.append(bytes)
        guard let leaf = try? Leaf(bytes) else {
            scan.faults.append("record \(sequence) cannot be read")
            return
        }
        if leaf.sequence != sequence { scan.faults.append("record \(sequence) calls itself \(leaf.sequence)") }
        if leaf.time < scan.state.time { scan.faults.append("record \(sequence) is older than the one before it") }
        scan.state.time = max(scan.state.time, leaf.time)
        guard !scan.state.note(leaf) else { return }
        scan.faults.append(
            leaf.intent.map { "record \(sequence) closes \($0), which is no open intent" }
                ?? "record \(sequence) is an outcome of no intent")
    }

    private static func check(_ head: TreeHead, _ scan: inout Scan) {
        if scan.state.tree.size == head.size, scan.state.tree.root != head.root {
            scan.faults.append("the records up to \(head.size) do not give the root that the head holds")
        }
    }

    private static func check(_ detail: [UInt8], of bytes: [UInt8], _ sequence: UInt64, _ scan: inout Scan) {
        guard let leaf = try? Leaf(bytes), let detail = try? Detail(detail) else {
            scan.faults.append("the detail of record \(sequence) cannot be read")
            return
        }
        if detail.openings.map(\.commitment) != leaf.commitments {
            scan.faults.append("the detail of record \(sequence) does not open the leaf's commitments")
        }
    }
}

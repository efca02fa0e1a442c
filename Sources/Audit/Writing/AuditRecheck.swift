internal import Glibc
import Host
import Storage
import Transparency

/// Hashes again, while core serves, the records that a start took from a mark.
package struct AuditRecheck: Sendable {
    let database: Database
    let key: LogKey
    let mark: LogMark

    /// How many records there are to hash.
    package var size: UInt64 { mark.state.tree.size }

    /// Hashes them on a thread of its own; the log is to be stopped for whatever this throws.
    ///
    /// Throws `.broken` naming the record for anything that does not hold, and `.unreadable`.
    package func run() async throws(AuditError) {
        let result: Result<Void, AuditError> = await withCheckedContinuation { answer in
            HostThread.start("audit-recheck") {
                answer.resume(returning: Result { () throws(AuditError) in try runBlocking() })
            }
        }
        try result.get()
    }

    private func runBlocking() throws(AuditError) {
        var scan = AuditScan(key: key)
        do {
            // A transaction for each piece, since a long one would keep the database from giving its journal back.
            var isEnd = false
            while !isEnd {
                (scan, isEnd) = try database.readBlocking { [scan] connection in
                    var next = scan
                    let isEnd = try !next.advance(upTo: size, connection)
                    return (next, isEnd)
                }
                // Signing comes first.
                usleep(5000)
            }
        } catch { throw .unreadable("\(error)") }
        let found = scan.state.tree.size
        if scan.faults.isEmpty, found < size {
            scan.faults.append("record \(found) and later are missing: \(size) records were committed")
        } else if scan.faults.isEmpty, scan.state != mark.state {
            scan.faults.append("the records up to \(size) do not give the root that the mark holds")
        }
        if let fault = scan.faults.first { throw .broken(fault) }
    }
}

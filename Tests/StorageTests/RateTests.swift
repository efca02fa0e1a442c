import Foundation
import Storage
import Testing

/// Figures, printed: a machine shared by others proves little.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SHIRUSHI_MEASURE"] != nil)) struct Rates {
    @Test func `the cost of statements and transactions`() async throws {
        let scratch = try Scratch()
        let database = try Database.create(at: scratch.path, parts: [notes])
        let clock = ContinuousClock()
        func figure(_ name: String, _ count: Int, _ time: Duration) {
            print("FIGURE \(name): \(time / count)")
        }
        let rows: Int64 = 20_000
        let inserted = try await clock.measure {
            try await database.write { connection in for id in 0..<rows { try add(connection, id) } }
        }
        figure("INSERT within a transaction", Int(rows), inserted)
        let selected = try await clock.measure {
            try await database.read { connection in
                for id in 0..<rows {
                    let row = try connection.queryOne("SELECT id, body, data FROM note WHERE id = $1", [.integer(id)])
                    _ = try row?.blob(2)
                }
            }
        }
        figure("SELECT of one row within a read", Int(rows), selected)
        let written = try await clock.measure {
            for id in 0..<1000 as Range<Int64> { try await database.write { try add($0, rows + id) } }
        }
        figure("write of one row, durable", 1000, written)
        let read = try await clock.measure {
            for _ in 0..<1000 { _ = try await database.read { try $0.queryOne("SELECT 1") } }
        }
        figure("read of one row", 1000, read)
    }
}

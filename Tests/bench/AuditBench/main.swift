import Foundation

// AuditBench RECORDS FOLDER [CONNECTIONS]: measures a log of so many records, written by the log's own writer into FOLDER
// where none is there yet. `scripts/bench-audit` builds and runs it.

let arguments = CommandLine.arguments.dropFirst()
guard let records = arguments.first.flatMap(UInt64.init), records >= Traffic.window, arguments.count >= 2 else {
    print("usage: AuditBench RECORDS FOLDER [CONNECTIONS]; at least \(Traffic.window) records")
    exit(64)
}
let connections = arguments.dropFirst(2).first.flatMap(Int.init) ?? 16

let bench = BenchLog(in: arguments[arguments.startIndex + 1])
if !bench.exists {
    try await bench.create(holders: Traffic.holders)
    try await Traffic(bench, records: records, connections: connections).run()
}
try await bench.measureStart()
try await bench.measureVerification()
try await bench.measureProofs()
try await Searches(bench).run()

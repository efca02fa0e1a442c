import Foundation
import Fuzz
import Testing

/// libxml2 in a process of its own, compiled by the first test that asks; it speaks the protocol of `oracle.c`.
final class LibXML2: CanonicalOracle {
    private let process = Process()
    private let requests = Pipe()
    private let answers = Pipe()

    private static let program = Result { try compiled() }

    private static func compiled() throws -> URL {
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../LibXML2")
        let program = FileManager.default.temporaryDirectory.appending(path: "shirushi-libxml2-\(getpid())")
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/cc")
        compiler.arguments = [
            "-O2", "-DORACLE_MAIN", "-I/usr/include/libxml2", "-I\(source.path)/include", "-o", program.path,
            "\(source.path)/oracle.c", "-lxml2",
        ]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0, "the oracle needs libxml2's headers (scripts/setup test)")
        return program
    }

    init() throws {
        process.executableURL = try Self.program.get()
        process.standardInput = requests
        process.standardOutput = answers
        try process.run()
    }

    deinit {
        try? requests.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func canonical(_ document: [UInt8], _ queries: [CanonicalQuery]) -> [[UInt8]?]? {
        var request = Self.number(document.count) + document + Self.number(queries.count)
        for query in queries {
            let prefixes = Array(query.prefixes.joined(separator: " ").utf8)
            request += [query.methodNumber, query.hasComments ? 1 : 0] + Self.number(query.apex)
            request += Self.number(query.excluded) + Self.number(prefixes.count) + prefixes
        }
        do {
            try requests.fileHandleForWriting.write(contentsOf: request)
            let wasRead = try read(1) == [1]
            var forms: [[UInt8]?] = []
            for _ in queries {
                let count = try read(4).reversed().reduce(0) { $0 << 8 | Int($1) }
                forms.append(count == 0 ? nil : try read(count - 1))
            }
            return wasRead ? forms : nil
        } catch {
            Issue.record("libxml2's process failed: \(error)")
            return nil
        }
    }

    private struct Ended: Error {}

    private func read(_ count: Int) throws -> [UInt8] {
        guard count > 0 else { return [] }
        guard let data = try answers.fileHandleForReading.read(upToCount: count), data.count == count else {
            throw Ended()
        }
        return Array(data)
    }

    private static func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
}

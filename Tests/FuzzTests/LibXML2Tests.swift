import Foundation
import Fuzz
import Testing

struct LibXML2Tests {
    @Test(.timeLimit(.minutes(60)))
    func `reader and canonicaliser give libxml2's bytes on generated documents`() throws {
        let isLong = ProcessInfo.processInfo.environment["SHIRUSHI_LONG"] != nil
        let total = isLong ? 100_000 : 2000
        let oracle = try LibXML2()
        var (forms, bytes, differing) = (0, 0, 0)
        for seed in 0..<total where differing < 10 {
            do {
                let lengths = try GeneratedDocument.compare(seed: UInt64(seed), with: oracle)
                forms += lengths.count
                bytes += lengths.reduce(0, +)
            } catch {
                differing += 1
                Issue.record(error)
            }
        }
        print("libxml2: \(total) documents, \(forms) canonical forms of \(bytes) bytes, \(differing) differ")
        #expect(forms == total * 18)
    }
}

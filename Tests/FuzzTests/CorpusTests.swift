import Foundation
import Fuzz
import Testing

/// The corpora of the fuzz targets, in the tree.
enum Corpus {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fuzz/Corpus")

    /// The inputs of a target with their names, in the order of the names.
    static func inputs(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = folder.appending(path: target.rawValue)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }
}

struct CorpusTests {
    @Test(.timeLimit(.minutes(5)), arguments: FuzzTarget.allCases)
    func `every input of a corpus keeps the promises, within a second`(_ target: FuzzTarget) throws {
        let oracle = target == .canonicalization ? try LibXML2() : nil
        let inputs = try Corpus.inputs(of: target)
        var read = 0
        for (name, bytes) in inputs {
            let start = ContinuousClock.now
            do {
                if try target.run(bytes, oracle: oracle) { read += 1 }
            } catch {
                Issue.record("\(target.rawValue)/\(name): \(error)")
            }
            // The machine may be busy; libFuzzer holds the limit of one second.
            #expect(start.duration(to: .now) < .seconds(10), "\(target.rawValue)/\(name)")
        }
        print("corpus \(target.rawValue): \(inputs.count) inputs, \(read) read")
        // A corpus that is all refused tests a reader's first line alone.
        #expect(read > 0 && read < inputs.count)
    }

    @Test func `the corpora are small`() throws {
        let sizes = try FuzzTarget.allCases.flatMap { try Corpus.inputs(of: $0) }.map(\.bytes.count)
        #expect(sizes.reduce(0, +) <= 2 << 20)
    }
}

import Certificates
import Foundation
import Fuzz
import HPKI
import Testing
import Validation
import XML

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
    @Test(.timeLimit(.minutes(10)), arguments: FuzzTarget.allCases)
    func `every input of a corpus keeps the promises, within a second's work`(_ target: FuzzTarget) throws {
        let oracle = target == .canonicalization ? try LibXML2() : nil
        let inputs = try Corpus.inputs(of: target)
        var read = 0
        for (name, bytes) in inputs {
            let begun = WorkedTime.seconds
            do {
                if try target.run(bytes, oracle: oracle) { read += 1 }
            } catch {
                Issue.record("\(target.rawValue)/\(name): \(error)")
            }
            #expect(WorkedTime.seconds - begun < WorkedTime.most, "\(target.rawValue)/\(name)")
        }
        print("corpus \(target.rawValue): \(inputs.count) inputs, \(read) read")
        // A corpus that is all refused tests a reader's first line alone.
        #expect(read > 0 && read < inputs.count)
    }

    /// Otherwise nothing that passes could be a forgery.
    @Test(arguments: [FuzzTarget.cms, .validation])
    func `every signature that was made for a corpus passes at its level`(_ target: FuzzTarget) throws {
        let levels = ["b": SignatureLevel.bB, "t": .bT, "lt": .bLT, "lta": .bLTA]
        var seen: [String: Int] = [:]
        for (name, bytes) in try Corpus.inputs(of: target) {
            guard name.dropFirst().hasPrefix("ades-"), !name.hasSuffix("-cut") else { continue }
            let suffix = String(name.split(separator: "-").last ?? "")
            let report = FuzzJudge.report(on: bytes)
            #expect(report.result == .passed, "\(name): \(report.reasons)")
            #expect(report.signatures.map(\.level) == [levels[suffix]], "\(name)")
            seen[suffix, default: 0] += 1
        }
        let packagings = target == .cms ? 2 : 4
        #expect(seen == levels.mapValues { _ in packagings })
    }

    @Test func `what a signature is over is another thing after a change, and not after one beside it`() throws {
        let cms = try Corpus.inputs(of: .cms), xml = try Corpus.inputs(of: .validation)
        func seed(_ name: String, in inputs: [(name: String, bytes: [UInt8])]) throws -> [UInt8] {
            try #require(inputs.first { $0.name == name }?.bytes)
        }
        func cmsParts(_ bytes: [UInt8]) throws -> [Digest]? {
            SignedParts.of(try CMSSignedData(contentInfo: bytes[...]))
        }
        func xmlParts(_ bytes: [UInt8]) throws -> [Digest]? { SignedParts.of(try XMLDocument(parsing: bytes)) }
        let attached = try seed("cades-attached-b", in: cms)
        #expect(try cmsParts(attached) == cmsParts(seed("cades-attached-lta", in: cms)))
        var other = attached
        let place = try #require(attached.firstRange(of: fuzzContent))
        other[place.lowerBound] ^= 1
        #expect(try cmsParts(attached) != cmsParts(other))
        let enveloped = try seed("xades-enveloped-b", in: xml)
        #expect(try xmlParts(enveloped) == xmlParts(seed("xades-enveloped-lta", in: xml)))
        let text = String(decoding: enveloped, as: UTF8.self)
        let changed = text.replacing("l:a=\"1\"", with: "l:a=\"2\"")
        #expect(try changed != text && xmlParts(enveloped) != xmlParts(Array(changed.utf8)))
    }

    @Test func `the corpora are small`() throws {
        let sizes = try FuzzTarget.allCases.flatMap { try Corpus.inputs(of: $0) }.map(\.bytes.count)
        #expect(sizes.reduce(0, +) <= 3 << 19)
    }
}

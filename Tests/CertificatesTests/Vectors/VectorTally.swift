import Foundation
import Testing

/// Counts how one set of foreign vectors went, against the false rejects that docs/conformance.md lists with reasons.
struct VectorTally {
    private let set: String
    /// The names listed for this set, and why each is refused here.
    private let listed: [String: String]
    private var agreed = 0
    private var falseAccepts: [String] = []
    private var falseRejects: [String] = []
    private var skipped = 0

    init(set: String) throws {
        self.set = set
        let document = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../docs/conformance.md")
        var listed: [String: String] = [:]
        for line in try String(contentsOf: document, encoding: .utf8).split(separator: "\n") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            if cells.count == 3, cells[0] == set { listed[cells[1]] = cells[2] }
        }
        self.listed = listed
    }

    /// Takes one verdict; `why` is what a refusal said.
    mutating func count(_ name: String, isValid: Bool, accepted: Bool, why: String) {
        switch (isValid, accepted) {
        case (true, true), (false, false): agreed += 1
        case (false, true): falseAccepts.append(name)
        case (true, false):
            falseRejects.append(name)
            if listed[name] == nil { print("\(set): not in the list: \(name): \(why)") }
        }
    }

    /// Takes one that cannot be run.
    mutating func skip(_ name: String, why: String) {
        skipped += 1
        print("\(set): skipped: \(name): \(why)")
    }

    /// Prints the figures and judges them.
    func finish(of total: Int) {
        let disagreed = falseAccepts.count + falseRejects.count
        print("\(set): agree \(agreed), disagree \(disagreed), skipped \(skipped) (\(total) vectors)")
        #expect(agreed + disagreed + skipped == total)
        #expect(falseAccepts.isEmpty, "false accepts")
        #expect(Set(falseRejects) == Set(listed.keys), "docs/conformance.md must list every false reject and no other")
        #expect(listed.values.allSatisfy { $0.count > 10 }, "each with its reason")
    }
}

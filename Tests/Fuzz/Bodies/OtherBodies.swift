import HPKI
import Validation
import XML
import YAML

/// Whole documents, judged as a pharmacy's would be.
enum ValidationBody {
    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        let report = FuzzTrust.shared.validator.judge(bytes, at: fuzzMoment)
        try promise(report.result != .passed || !report.signatures.isEmpty, "a document without signature passed")
        try promise(report.result == .passed || !report.reasons.isEmpty, "a refusal without reason")
        return (try? XMLDocument(parsing: bytes)) != nil
    }
}

/// Configuration and policies, as far as their reader goes.
enum YAMLBody {
    static func read(_ bytes: [UInt8]) -> Bool {
        guard let node = try? YAMLNode.read(bytes) else { return false }
        visit(node)
        return true
    }

    private static func visit(_ node: YAMLNode) {
        _ = (try? node.string(), try? node.boolean(), try? node.integer(in: 0...100), try? node.mapping())
        for inner in (try? node.sequence()) ?? [] { visit(inner) }
    }
}

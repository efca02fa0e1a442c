import YAML

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

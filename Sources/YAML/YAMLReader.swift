internal import Yams

/// Turns the nodes of Yams into ours and refuses what is not wanted on the way.
enum YAMLReader {
    /// Aliases may be looked for in keys by Yams before we see them, so their number is bounded beforehand.
    private static let suspectLimit = 16

    static func read(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode {
        guard bytes.count <= YAMLNode.byteLimit else { throw .tooLarge(limit: YAMLNode.byteLimit) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8 }
        if let line = lineOfManyAliases(bytes) { throw .anchor(line: line) }
        do {
            // Without resolver rules nothing is guessed from a scalar's look, and no pattern runs over it.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            guard let root = try parser.singleRoot() else { throw YAMLError.empty }
            // The parser alone holds the anchors; they must live while the nodes are looked at.
            return try withExtendedLifetime(parser) { try convert(root, path: "", depth: 0) }
        } catch let error as YAMLError {
            throw error
        } catch let error as YamlError {
            throw translate(error)
        } catch {
            throw .syntax(line: 1, problem: "not readable as YAML")
        }
    }

    private static func convert(_ node: Node, path: String, depth: Int) throws(YAMLError) -> YAMLNode {
        let line = node.mark?.line ?? 1
        guard node.anchor == nil else { throw .anchor(line: line) }
        switch node {
        case .alias:
            throw .anchor(line: line)
        case .scalar(let scalar):
            let tag = scalar.tag.rawValue
            guard tag.isEmpty || tag == Tag.Name.str.rawValue else { throw .tag(line: line) }
            let quoted = scalar.style != .plain || !tag.isEmpty
            return YAMLNode(line: line, path: path, value: .scalar(scalar.string, quoted: quoted))
        case .sequence(let sequence):
            guard depth < YAMLNode.depthLimit else { throw .tooDeep(line: line) }
            guard sequence.tag.rawValue.isEmpty else { throw .tag(line: line) }
            var nodes: [YAMLNode] = []
            for (index, child) in sequence.enumerated() {
                nodes.append(try convert(child, path: "\(path)[\(index)]", depth: depth + 1))
            }
            return YAMLNode(line: line, path: path, value: .sequence(nodes))
        case .mapping(let mapping):
            guard depth < YAMLNode.depthLimit else { throw .tooDeep(line: line) }
            guard mapping.tag.rawValue.isEmpty else { throw .tag(line: line) }
            var entries: [YAMLEntry] = []
            var seen: Set<String> = []
            for (keyNode, child) in mapping {
                let keyLine = keyNode.mark?.line ?? line
                guard keyNode.anchor == nil else { throw .anchor(line: keyLine) }
                guard case .scalar(let scalar) = keyNode, isKey(scalar.string) else {
                    throw .keyNotScalar(line: keyLine)
                }
                // Yams has resolved the tags of keys where it compared them; a plain key is then tagged as text.
                guard ["", Tag.Name.str.rawValue].contains(scalar.tag.rawValue) else { throw .tag(line: keyLine) }
                let key = scalar.string
                guard seen.insert(key).inserted else { throw .duplicateKey(line: keyLine, key: key) }
                let childPath = path.isEmpty ? key : "\(path).\(key)"
                let value = try convert(child, path: childPath, depth: depth + 1)
                entries.append(YAMLEntry(key: key, line: keyLine, value: value))
            }
            return YAMLNode(line: line, path: path, value: .mapping(entries))
        }
    }

    private static func isKey(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count) && text != "<<" && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    private static func translate(_ error: YamlError) -> YAMLError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _):
            return .syntax(line: mark.line, problem: problem)
        case .composer(_, let problem, let mark, _):
            if problem.contains("alias") { return .anchor(line: mark.line) }
            return .severalDocuments
        case .reader(let problem, _, _, _):
            return .syntax(line: 1, problem: problem)
        case .duplicatedKeysInMapping(let keys, let context):
            let key = keys.first ?? ""
            return .duplicateKey(line: context.mark.line, key: isKey(key) ? key : "?")
        case .memory:
            // libyaml's bound of 1000 nested collections.
            return .tooDeep(line: 1)
        default:
            return .syntax(line: 1, problem: "not readable as YAML")
        }
    }

    /// The line at which more words that may be aliases have been seen than a file without aliases would hold.
    private static func lineOfManyAliases(_ bytes: [UInt8]) -> Int? {
        var suspects = 0
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
        where line.first(where: { $0 != 0x20 && $0 != 0x09 }) != UInt8(ascii: "#") {
            for (star, next) in zip(line, line.dropFirst()) where star == UInt8(ascii: "*") && next > 0x20 {
                suspects += 1
                if suspects > suspectLimit { return index + 1 }
            }
        }
        return nil
    }
}

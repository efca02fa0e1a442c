import Foundation
import Testing
import XML

/// libxml2's canonicalisation cases, by their XPath expressions where they have one.
struct CanonicalizationVectorTests {
    private enum Verdict {
        case agree(isWhole: Bool)
        case differ
        case refused(XMLError.Reason)
    }

    @Test(arguments: [
        ("with-comments", Canonicalization.inclusive10WithComments, 1, 1, 6),
        ("without-comments", .inclusive10, 11, 3, 9),
        ("1-1-without-comments", .inclusive11, 19, 17, 9),
        ("exc-without-comments", .exclusive10, 16, 3, 2),
    ])
    func `libxml2's cases give the expected bytes`(
        _ name: String, _ method: Canonicalization, _ agreeing: Int, _ whole: Int, _ refused: Int
    ) throws {
        guard let root = vectors("c14n-libxml2") else { return }
        var agree: [(name: String, isWhole: Bool)] = []
        var refusals: [String] = []
        for expected in try files(in: root.appending(path: "result/c14n/\(name)")) {
            let input = root.appending(path: "test/c14n/\(name)/\(expected.lastPathComponent)")
            switch try judge(input, method, try bytes(of: expected)) {
            case .agree(let isWhole): agree.append((expected.lastPathComponent, isWhole))
            case .differ: Issue.record("\(name)/\(expected.lastPathComponent) differs")
            case .refused(let reason): refusals.append("\(expected.lastPathComponent) (\(reason))")
            }
        }
        let others = agree.filter { !$0.isWhole }.map(\.name)
        print(
            "c14n-libxml2/\(name): \(agree.count) agree, \(refusals.count) refused, 0 skipped; not of whole elements:",
            others.joined(separator: ", "))
        #expect(agree.count == agreeing)
        #expect(agree.count - others.count == whole, "\(others)")
        #expect(refusals.count == refused, "\(refusals)")
    }

    /// Exclusive C14N 1.0 §3 writes no namespace node without its element, unless PrefixList has it.
    @Test(arguments: ["merlin-c14n-two-15", "merlin-c14n-two-16", "merlin-c14n-two-25"])
    func `libxml2's cases without expected bytes give none`(_ name: String) throws {
        guard let root = vectors("c14n-libxml2") else { return }
        let input = root.appending(path: "test/c14n/exc-without-comments/\(name)")
        guard case .agree = try judge(input, .exclusive10, []) else {
            Issue.record("\(name) isn't empty")
            return
        }
    }

    private func judge(_ input: URL, _ method: Canonicalization, _ expected: [UInt8]) throws -> Verdict {
        let document: XMLDocument
        do {
            document = try XMLDocument(parsing: try bytes(of: input.appendingPathExtension("xml")))
        } catch let error as XMLError {
            let isDue = [.doctypeRefused, .unsupportedEncoding].contains(error.reason)
            return isDue ? .refused(error.reason) : .differ
        }
        let prefixes = (try? String(contentsOf: input.appendingPathExtension("ns"), encoding: .utf8)) ?? ""
        let list = prefixes.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let selector = try? bytes(of: input.appendingPathExtension("xpath")) else {
            let isEqual = method.canonicalize(document, inclusiveNamespaces: list) == expected
            return isEqual ? .agree(isWhole: true) : .differ
        }
        let selection = try XPathSelection(XMLDocument(parsing: selector).root, of: document)
        let output = method.canonicalize(
            nodeSetOf: document, inclusiveNamespaces: list, where: selection.contains)
        guard output == expected else { return .differ }
        guard let whole = WholeElements(document, where: selection.contains) else { return .agree(isWhole: false) }
        // As the transforms write it, too.
        let pieces = whole.apexes.flatMap {
            method.canonicalize($0, inclusiveNamespaces: list, excluding: whole.excluded)
        }
        return pieces == expected ? .agree(isWhole: true) : .differ
    }
}

/// A selection that is made of whole elements, less one within them: what our transforms can select too.
private struct WholeElements {
    /// The outermost elements, in document order.
    let apexes: [XMLElement]
    let excluded: XMLElement?

    /// Nil for any other selection.
    init?(_ document: XMLDocument, where isSelected: @escaping (XPathNode) -> Bool) {
        let elements = [document.root] + document.root.descendants
        func contains(_ element: XMLElement?) -> Bool { element.map { isSelected(.element($0)) } ?? false }
        let apexes = elements.filter { contains($0) && !contains($0.parent) }
        let left = elements.filter { !contains($0) && contains($0.parent) }
        guard left.count <= 1 else { return nil }
        var isWhole = true
        _ = Canonicalization.inclusive10WithComments.canonicalize(nodeSetOf: document) { node in
            let isInside = XPathPlace.node(node).element.map { element in
                apexes.contains { element.isInside($0) } && !left.contains { element.isInside($0) }
            }
            isWhole = isWhole && isSelected(node) == (isInside ?? false)
            return isSelected(node)
        }
        guard isWhole else { return nil }
        (self.apexes, excluded) = (apexes, left.first)
    }
}

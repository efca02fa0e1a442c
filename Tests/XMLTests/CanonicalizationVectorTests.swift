import Foundation
import Testing
import XML

/// libxml2's canonicalisation cases; those whose node set isn't made of whole elements are named as skipped.
struct CanonicalizationVectorTests {
    private enum Verdict {
        case agree
        case differ
        case refused(XMLError.Reason)
        case skipped(String)
    }

    @Test(arguments: [
        ("with-comments", Canonicalization.inclusive10WithComments, 1, 6),
        ("without-comments", .inclusive10, 3, 9),
        ("1-1-without-comments", .inclusive11, 17, 9),
        ("exc-without-comments", .exclusive10, 3, 2),
    ])
    func `libxml2's cases give the expected bytes`(
        _ name: String, _ method: Canonicalization, _ agreeing: Int, _ refused: Int
    ) throws {
        guard let root = vectors("c14n-libxml2") else { return }
        var agree: [String] = []
        var refusals: [String] = []
        var skipped: [String] = []
        for expected in try files(in: root.appending(path: "result/c14n/\(name)")) {
            let input = root.appending(path: "test/c14n/\(name)/\(expected.lastPathComponent)")
            switch try judge(input, method, try bytes(of: expected)) {
            case .agree: agree.append(expected.lastPathComponent)
            case .differ: Issue.record("\(name)/\(expected.lastPathComponent) differs")
            case .refused(let reason): refusals.append("\(expected.lastPathComponent) (\(reason))")
            case .skipped(let reason): skipped.append("\(expected.lastPathComponent) (\(reason))")
            }
        }
        print(
            "c14n-libxml2/\(name): \(agree.count) agree, \(refusals.count) refused, \(skipped.count) skipped:",
            skipped.joined(separator: ", "))
        #expect(agree.count == agreeing)
        #expect(refusals.count == refused, "\(refusals)")
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
            return method.canonicalize(document, inclusiveNamespaces: list) == expected ? .agree : .differ
        }
        guard let selection = Selection(try XMLDocument(parsing: selector).root) else {
            return .skipped("node set isn't whole elements")
        }
        guard selection.excluded.count <= 1 else { return .skipped("more than one element left out") }
        let excluding = selection.excluded.first.flatMap { excluded in
            document.root.descendants.first { $0.isNamed(excluded.localName, excluded.uri) }
        }
        let output = selection.apexes(in: document).flatMap {
            method.canonicalize($0, inclusiveNamespaces: list, excluding: excluding)
        }
        return output == expected ? .agree : .differ
    }
}

/// An XPath expression of the form `(…)[ancestor-or-self::n or … and not(ancestor-or-self::n or …)]`.
private struct Selection {
    struct Name {
        let localName: String
        let uri: String
    }

    private let included: [Name]
    let excluded: [Name]

    /// Nil for an expression of any other form.
    init?(_ xpath: XMLElement) {
        let text = xpath.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard let start = text.firstIndex(of: "["), text.hasSuffix("]") else { return nil }
        let predicate = text[text.index(after: start)...].dropLast().trimmingCharacters(in: .whitespaces)
        let halves = predicate.components(separatedBy: " and not(")
        guard halves.count <= 2, let included = Self.names(halves[0], xpath) else { return nil }
        self.included = included
        if halves.count == 2 {
            guard halves[1].hasSuffix(")"), let excluded = Self.names(String(halves[1].dropLast()), xpath) else {
                return nil
            }
            self.excluded = excluded
        } else {
            excluded = []
        }
    }

    private static func names(_ text: String, _ xpath: XMLElement) -> [Name]? {
        var names: [Name] = []
        for step in text.components(separatedBy: " or ") {
            let axis = "ancestor-or-self::"
            guard step.hasPrefix(axis) else { return nil }
            let parts = step.dropFirst(axis.count).split(separator: ":").map(String.init)
            guard let localName = parts.last, localName.allSatisfy({ $0.isLetter || $0.isNumber }) else { return nil }
            let uri = parts.count == 2 ? xpath.namespacesInScope[parts[0], default: ""] : ""
            names.append(Name(localName: localName, uri: uri))
        }
        return names
    }

    /// The outermost elements that the expression includes, in document order.
    func apexes(in document: XMLDocument) -> [XMLElement] {
        var apexes: [XMLElement] = []
        for element in [document.root] + document.root.descendants
        where included.contains(where: { element.isNamed($0.localName, $0.uri) })
            && !apexes.contains(where: { element.isInside($0) })
        {
            apexes.append(element)
        }
        return apexes
    }
}

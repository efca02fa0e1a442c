import Fuzz
import Testing
import XML

struct NodeSetTests {
    /// libxml2's oracle judges the one; so it judges the other too.
    @Test func `a node set of whole elements is written as those elements are`() throws {
        for seed in 0..<UInt64(100) {
            let generated = GeneratedDocument(seed: seed)
            let document = try XMLDocument(parsing: Array(generated.text.utf8))
            let elements = [document.root] + document.root.descendants
            var random = Seeded(state: seed)
            for query in generated.queries(&random) {
                let output = query.method.canonicalize(
                    nodeSetOf: document, inclusiveNamespaces: query.prefixes,
                    where: { node in
                        let element: XMLElement? =
                            switch node {
                            case .element(let element), .attribute(_, let element), .namespace(_, _, let element),
                                .text(_, let element):
                                element
                            case .comment(_, let element), .instruction(_, _, let element): element
                            }
                        guard let element else { return query.apex == 0 }
                        return (query.apex == 0 || element.isInside(elements[query.apex - 1]))
                            && (query.excluded == 0 || !element.isInside(elements[query.excluded - 1]))
                    })
                #expect(output == query.canonical(document), "seed \(seed), \(query)\n\(generated.text)")
            }
        }
    }
}

import HPKI
import XML

/// Documents that are read must be whole, and their canonical forms stable and those of an independent reader.
enum XMLBodies {
    static func reading(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        let document: XMLDocument
        do {
            document = try XMLDocument(parsing: bytes)
        } catch {
            try promise(error.offset <= bytes.count && error.line >= 1 && error.column >= 1, "a refusal is nowhere")
            _ = error.description
            return false
        }
        try promise(document.bytes == bytes, "a document is not its bytes")
        for element in [document.root] + document.root.descendants.prefix(500) {
            let tag = bytes[element.byteRange]
            try promise(tag.first == UInt8(ascii: "<") && tag.last == UInt8(ascii: ">"), "an element has no tags")
            try promise(
                element.byteRange.lowerBound < element.contentRange.lowerBound
                    && element.contentRange.upperBound <= element.byteRange.upperBound, "content is outside")
            if let parent = element.parent {
                try promise(
                    parent.contentRange.lowerBound <= element.byteRange.lowerBound
                        && element.byteRange.upperBound <= parent.contentRange.upperBound && element.isInside(parent),
                    "an element is outside its parent")
            }
            for attribute in element.attributes {
                try promise(
                    element.attribute(attribute.localName, attribute.namespaceURI) == attribute.value,
                    "an attribute is not found by its name")
            }
            if let id = element.attribute("id") ?? element.attribute("Id") ?? element.attribute("ID") {
                try promise(document.element(id: id) != nil, "an element is not found by its id")
            }
            _ = (element.text, element.hasText, element.namespacesInScope, element.children.count)
        }
        return true
    }

    static func canonicalization(_ bytes: [UInt8], _ oracle: (any CanonicalOracle)?) throws(FuzzFinding) -> Bool {
        guard let document = try? XMLDocument(parsing: bytes) else { return false }
        let elements = [document.root] + document.root.descendants
        // The input chooses, so that libFuzzer can find each choice.
        let apex = Int(Digest(of: bytes).bytes[0]) % elements.count
        let prefixes = ["#default"] + elements[apex].namespacesInScope.keys.sorted().prefix(2)
        var queries: [CanonicalQuery] = []
        for method in Canonicalization.allCases {
            queries.append(CanonicalQuery(method: method))
            queries.append(CanonicalQuery(method: method, apex: apex + 1))
            if method.isExclusive {
                queries.append(CanonicalQuery(method: method, apex: apex + 1, prefixes: prefixes))
            } else if apex > 0 {
                // Without the root, libxml2 takes what follows it for what precedes it.
                queries.append(CanonicalQuery(method: method, excluded: apex + 1))
            }
        }
        let forms = queries.map { $0.canonical(document) }
        for (query, form) in zip(queries, forms) where !form.isEmpty {
            try promiseStable(form, query)
        }
        // libxml2 2.9 leaves `&` as a reference in a namespace's URI, against XML 1.0 §3.3.3.
        let isReadAlike = elements.allSatisfy { $0.namespacesInScope.values.allSatisfy { !$0.utf8.contains(0x26) } }
        guard isReadAlike, let theirs = oracle?.canonical(bytes, queries) else { return true }
        // Where 1.1 joins an xml:base with those above, libxml2 2.9 keeps dot segments behind a slash (RFC 3986 §5.2.4)
        // and drops what is no URI; the joining is held by the W3C's cases and by generated documents.
        // It drops an empty xml:base too, also where nothing above is left out and so nothing is joined (§2.4).
        let xml = "http://www.w3.org/XML/1998/namespace"
        let hasEmptyBase = elements.contains { $0.attribute("base", xml)?.isEmpty == true }
        let above = sequence(first: elements[apex]) { $0.parent }.dropFirst()
        let isJoined = above.contains { $0.attribute("base", xml) != nil }
        for ((query, ours), theirs) in zip(zip(queries, forms), theirs) {
            let isAsked = query.methodNumber != 1 || (!hasEmptyBase && (!isJoined || query.apex == 0))
            guard let theirs, isAsked else { continue }
            try promise(ours == theirs, "libxml2 differs, \(query): \(text(ours)) and not \(text(theirs))")
        }
        return true
    }

    /// The canonical form of a canonical form is itself.
    private static func promiseStable(_ form: [UInt8], _ query: CanonicalQuery) throws(FuzzFinding) {
        let again: XMLDocument
        do {
            again = try XMLDocument(parsing: form)
        } catch {
            // Declarations may move to an element that had as many as it may already.
            try promise(error.reason == .limitExceeded, "\(query) is not read again: \(error): \(text(form))")
            return
        }
        var same = query
        (same.apex, same.excluded) = (0, 0)
        let twice = same.canonical(again)
        try promise(twice == form, "\(query) is not stable: \(text(form)) became \(text(twice))")
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(2000), as: UTF8.self) }
}

extension Canonicalization {
    var isExclusive: Bool { self == .exclusive10 || self == .exclusive10WithComments }
}

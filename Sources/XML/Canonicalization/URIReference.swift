/// The parts of a URI reference, as far as joining `xml:base` values needs them (RFC 3986 Appendix B).
struct URIReference {
    private var scheme: ArraySlice<UInt8>?
    private var authority: ArraySlice<UInt8>?
    private var path: ArraySlice<UInt8>
    private var query: ArraySlice<UInt8>?
    private var fragment: ArraySlice<UInt8>?

    private init(_ text: [UInt8]) {
        var rest = text[...]
        if let end = rest.firstIndex(where: { ":/?#".utf8.contains($0) }), rest[end] == UInt8(ascii: ":"),
            end > rest.startIndex
        {
            scheme = rest[..<end]
            rest = rest[(end + 1)...]
        }
        if let start = rest.firstIndex(of: UInt8(ascii: "#")) {
            fragment = rest[(start + 1)...]
            rest = rest[..<start]
        }
        if let start = rest.firstIndex(of: UInt8(ascii: "?")) {
            query = rest[(start + 1)...]
            rest = rest[..<start]
        }
        if rest.starts(with: "//".utf8) {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            authority = rest[..<end]
            rest = rest[end...]
        }
        path = rest
    }

    /// `reference` resolved against `base`, which may itself be relative (Canonical XML 1.1 §2.4).
    static func join(_ base: [UInt8], _ reference: [UInt8]) -> [UInt8] {
        let base = URIReference(base)
        var target = URIReference(reference)
        if target.scheme == nil {
            target.scheme = base.scheme
            if target.authority == nil {
                target.authority = base.authority
                if target.path.isEmpty {
                    target.path = base.path
                    target.query = target.query ?? base.query
                } else if target.path.first != UInt8(ascii: "/") {
                    target.path = merge(base, target.path)
                }
            }
        }
        return target.text(path: removeDotSegments(target.path))
    }

    /// RFC 3986 §5.2.3.
    private static func merge(_ base: URIReference, _ path: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if base.authority != nil, base.path.isEmpty { return [UInt8(ascii: "/")] + path }
        // A base that ends in ".." names a directory, as if a slash followed.
        let segments = base.path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if let last = segments.last, last.elementsEqual("..".utf8) || last.elementsEqual(".".utf8) {
            return base.path + [UInt8(ascii: "/")] + path
        }
        guard let slash = base.path.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return base.path[...slash] + path
    }

    /// RFC 3986 §5.2.4 as changed by Canonical XML 1.1 §2.4: leading ".." stay in a relative path, runs of slashes
    /// become one, and a final ".." gets a slash.
    private static func removeDotSegments(_ path: ArraySlice<UInt8>) -> [UInt8] {
        let isAbsolute = path.first == UInt8(ascii: "/")
        let segments = path.split(separator: UInt8(ascii: "/"))
        var kept: [ArraySlice<UInt8>] = []
        var endsInDirectory = path.last == UInt8(ascii: "/")
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            if segment.elementsEqual(".".utf8) {
                if isLast { endsInDirectory = true }
            } else if segment.elementsEqual("..".utf8) {
                if isLast { endsInDirectory = true }
                if let last = kept.last, !last.elementsEqual("..".utf8) {
                    kept.removeLast()
                } else if !isAbsolute {
                    kept.append(segment)
                }
            } else {
                kept.append(segment)
            }
        }
        var result: [UInt8] = isAbsolute ? [UInt8(ascii: "/")] : []
        result += kept.joined(separator: [UInt8(ascii: "/")])
        if endsInDirectory, !kept.isEmpty { result.append(UInt8(ascii: "/")) }
        return result
    }

    private func text(path: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        if let scheme { text += scheme + ":".utf8 }
        if let authority { text += "//".utf8 + authority }
        text += path
        if let query { text += "?".utf8 + query }
        if let fragment { text += "#".utf8 + fragment }
        return text
    }
}

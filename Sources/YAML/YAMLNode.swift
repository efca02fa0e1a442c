/// One value of a YAML document, with the place where it stands.
///
/// The reader is stricter than YAML 1.2.2: no anchors, aliases, merge keys or tags, no duplicate keys, one document.
/// Scalars stay text until a getter gives them a type, so that `no`, `012` and `1e3` are never guessed at.
package struct YAMLNode: Sendable, Hashable {
    /// The largest document, in bytes.
    package static let byteLimit = 1_048_576
    /// The deepest nesting of mappings and sequences.
    package static let depthLimit = 32

    /// What a node is.
    enum Value: Sendable, Hashable {
        case scalar(String, quoted: Bool)
        case sequence([YAMLNode])
        case mapping([YAMLEntry])
    }

    /// The line on which the value starts, counted from 1.
    package let line: Int
    /// The way to the value, such as `listeners[0].port`; empty for the whole document.
    package let path: String
    let value: Value

    /// Reads the one document of `bytes` (UTF-8); throws `YAMLError`.
    package static func read(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode {
        try YAMLReader.read(bytes)
    }

    /// The error of this value not being what was expected; the value itself is never repeated in it.
    package func fault(_ expected: String) -> YAMLError {
        .wrongValue(line: line, key: path, expected: expected)
    }
}

// MARK: - Typed getters

extension YAMLNode {
    /// The entries of a mapping with any keys; throws `.wrongValue`.
    package func mapping() throws(YAMLError) -> YAMLMapping {
        guard case .mapping(let entries) = value else { throw fault("must be a mapping of keys to values") }
        return YAMLMapping(line: line, path: path, entries: entries)
    }

    /// The entries of a mapping that may have only the `allowed` keys; throws `.unknownKey` or `.wrongValue`.
    package func mapping(allowed: [String]) throws(YAMLError) -> YAMLMapping {
        let mapping = try mapping()
        if let stranger = mapping.strangers(to: allowed).first { throw stranger }
        return mapping
    }

    /// The same, but every unknown key goes to `faults` and the others are given.
    package func mapping(allowed: [String], faults: inout YAMLFaults) -> YAMLMapping? {
        guard let mapping = faults.read({ () throws(YAMLError) in try mapping() }) else { return nil }
        for stranger in mapping.strangers(to: allowed) { faults.add(stranger) }
        return mapping
    }

    /// The values of a sequence; throws `.wrongValue`.
    package func sequence(atMost limit: Int = 10_000) throws(YAMLError) -> [YAMLNode] {
        guard case .sequence(let nodes) = value else { throw fault("must be a list") }
        guard nodes.count <= limit else { throw fault("must have at most \(limit) entries") }
        return nodes
    }

    /// The text of a scalar of 1 to `limit` bytes; throws `.wrongValue`, also for a plain `null` or `~`.
    package func string(atMost limit: Int = 4096) throws(YAMLError) -> String {
        guard case .scalar(let text, let quoted) = value else { throw fault("must be a text") }
        guard !text.isEmpty, quoted || !["~", "null", "Null", "NULL"].contains(text) else {
            throw fault("must not be empty")
        }
        guard text.utf8.count <= limit else { throw fault("must have at most \(limit) bytes") }
        guard !text.utf8.contains(0) else { throw fault("must not contain NUL") }
        return text
    }

    /// The texts of a sequence; throws `.wrongValue`.
    package func strings() throws(YAMLError) -> [String] {
        var texts: [String] = []
        for node in try sequence() { texts.append(try node.string()) }
        return texts
    }

    /// A plain decimal integer within `range`; throws `.wrongValue`.
    package func integer(in range: ClosedRange<Int>) throws(YAMLError) -> Int {
        let expected = "must be an integer in \(range.lowerBound)…\(range.upperBound)"
        guard case .scalar(let text, false) = value, let number = decimal(text), range.contains(number) else {
            throw fault(expected)
        }
        return number
    }

    /// A plain `true` or `false`; throws `.wrongValue`.
    package func boolean() throws(YAMLError) -> Bool {
        switch value {
        case .scalar("true", quoted: false): return true
        case .scalar("false", quoted: false): return false
        default: throw fault("must be true or false")
        }
    }

    /// Seconds, written as a number and one of `s`, `m`, `h`, `d`; throws `.wrongValue` outside `range` (in seconds).
    package func duration(in range: ClosedRange<Int>) throws(YAMLError) -> Int {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let expected =
            "must be a duration such as 60s, 15m, 18h or 7d, of \(range.lowerBound)…\(range.upperBound) seconds"
        guard case .scalar(let text, _) = value, let unit = text.last.flatMap({ units[$0] }),
            let count = decimal(text.dropLast()), count >= 0
        else { throw fault(expected) }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow, range.contains(seconds) else { throw fault(expected) }
        return seconds
    }

    /// One of the words of `Choice`; throws `.wrongValue` with the list of them.
    package func choice<Choice: RawRepresentable & CaseIterable>(
        _ type: Choice.Type
    ) throws(YAMLError) -> Choice where Choice.RawValue == String {
        guard case .scalar(let text, _) = value, let choice = Choice(rawValue: text) else {
            throw fault("must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }
}

/// A decimal integer without sign `+`, leading zeros, separators or exponent, or nil.
private func decimal(_ text: some StringProtocol) -> Int? {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    guard let first = digits.utf8.first, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        first != 0x30 || digits.utf8.count == 1
    else { return nil }
    return Int(text)
}

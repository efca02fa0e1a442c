/// One key of a mapping with its value.
package struct YAMLEntry: Sendable, Hashable {
    package let key: String
    /// The line of the key, counted from 1.
    package let line: Int
    package let value: YAMLNode
}

/// The entries of a mapping in document order, each key once.
package struct YAMLMapping: Sendable, Hashable {
    package let line: Int
    package let path: String
    package let entries: [YAMLEntry]

    /// The value of `key`, or nil where the mapping has no such key.
    package subscript(key: String) -> YAMLNode? {
        entries.first { $0.key == key }?.value
    }

    /// The value of `key`; throws `.missingKey`.
    package func required(_ key: String) throws(YAMLError) -> YAMLNode {
        guard let node = self[key] else {
            throw .missingKey(line: line, key: path.isEmpty ? key : "\(path).\(key)")
        }
        return node
    }

    /// The keys outside `allowed`, each as an error that proposes the nearest one.
    func strangers(to allowed: [String]) -> [YAMLError] {
        entries.filter { !allowed.contains($0.key) }.map { entry in
            let near = allowed.map { (word: $0, distance: distance(entry.key, $0)) }.min { $0.distance < $1.distance }
            let suggestion = near.flatMap { $0.distance <= max(1, $0.word.count / 2) ? $0.word : nil }
            return .unknownKey(line: entry.line, key: entry.value.path, suggestion: suggestion)
        }
    }
}

/// How many letters must be put in, taken out or changed to make `right` of `left` (Levenshtein's distance).
private func distance(_ left: String, _ right: String) -> Int {
    // Long strangers are no slips of the pen.
    guard left.utf8.count <= 64, right.utf8.count <= 64 else { return Int.max }
    let right = Array(right.lowercased())
    var row = Array(0...right.count)
    for (index, letter) in left.lowercased().enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for column in right.indices {
            let change = diagonal + (letter == right[column] ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(change, row[column] + 1, diagonal + 1)
        }
    }
    return row[right.count]
}

/// Gathers the errors of a file, so that its author sees all of them at once.
package struct YAMLFaults: Sendable {
    package private(set) var errors: [YAMLError] = []

    /// Without errors yet.
    package init() {}

    /// Notes an error.
    package mutating func add(_ error: YAMLError) {
        errors.append(error)
    }

    /// What `body` gives; where it throws, the error is noted and nil given.
    package mutating func read<Value>(_ body: () throws(YAMLError) -> Value) -> Value? {
        do {
            return try body()
        } catch {
            errors.append(error)
            return nil
        }
    }

    /// What `body` gives; where it throws, the error is noted and `fallback` given.
    package mutating func read<Value>(or fallback: Value, _ body: () throws(YAMLError) -> Value) -> Value {
        read(body) ?? fallback
    }
}

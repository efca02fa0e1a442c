import CPKCS11
internal import Glibc

/// Attributes and their values, laid out as a `CK_ATTRIBUTE` array for the length of one call.
struct Template {
    private struct Entry {
        let type: UInt
        let range: Range<Int>
        // Which of `arrays` is the value, where that is itself an array of attributes.
        var array: Int?
    }

    private var entries: [Entry] = []
    private var arrays: [Template] = []
    private var storage: [UInt8] = []
    private var answered: [UInt] = []

    mutating func set(_ type: UInt, _ value: [UInt8]) {
        // CK_ULONG values must lie on their own boundary.
        while storage.count % 8 != 0 { storage.append(0) }
        entries.append(Entry(type: type, range: storage.count..<storage.count + value.count))
        storage += value
    }

    mutating func set(_ type: UInt, _ value: Bool) { set(type, [value ? 1 : 0]) }

    mutating func set(_ type: UInt, _ value: UInt) {
        set(type, (0..<UInt(MemoryLayout<UInt>.size)).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) })
    }

    /// A value that is itself an array of attributes (CKF_ARRAY_ATTRIBUTE), which holds no further one.
    mutating func set(_ type: UInt, _ value: Template) {
        entries.append(Entry(type: type, range: 0..<0, array: arrays.count))
        arrays.append(value)
    }

    /// A secret value; `erase` then finds its only copy here, since nothing moves it.
    mutating func set(secret type: UInt, _ value: [UInt8]) {
        storage.reserveCapacity(storage.count + value.count + 256)
        set(type, value)
    }

    /// Room for a value that the module is to fill in.
    mutating func ask(for type: UInt, capacity: Int) {
        set(type, [UInt8](repeating: 0, count: capacity))
    }

    /// Lends the array to `body`.
    mutating func lend(_ body: (UnsafeMutablePointer<CK_ATTRIBUTE>?, UInt) -> UInt) -> UInt {
        unsafe lend(inner: 0, [], body)
    }

    /// Lays out the arrays that are values first, one within the other's call, then the array itself.
    private mutating func lend(
        inner: Int, _ lent: [(UnsafeMutablePointer<CK_ATTRIBUTE>?, UInt)],
        _ body: (UnsafeMutablePointer<CK_ATTRIBUTE>?, UInt) -> UInt
    ) -> UInt {
        guard inner == arrays.count else {
            var next = arrays[inner]
            return unsafe next.lend { start, count in
                unsafe lend(inner: inner + 1, lent + [(start, count)], body)
            }
        }
        var attributes = unsafe [CK_ATTRIBUTE](repeating: CK_ATTRIBUTE(), count: entries.count)
        let entries = entries
        let code = unsafe storage.withUnsafeMutableBytes { bytes in
            for (index, entry) in entries.enumerated() {
                if let array = entry.array {
                    unsafe attributes[index] = CK_ATTRIBUTE(
                        type: entry.type, pValue: UnsafeMutableRawPointer(lent[array].0),
                        ulValueLen: lent[array].1 * UInt(MemoryLayout<CK_ATTRIBUTE>.stride))
                } else {
                    unsafe attributes[index] = CK_ATTRIBUTE(
                        type: entry.type, pValue: bytes.baseAddress?.advanced(by: entry.range.lowerBound),
                        ulValueLen: UInt(entry.range.count))
                }
            }
            return unsafe attributes.withUnsafeMutableBufferPointer { buffer in
                unsafe body(buffer.baseAddress, UInt(buffer.count))
            }
        }
        unsafe answered = attributes.map { unsafe $0.ulValueLen }
        return code
    }

    /// What the module filled in; an attribute that it did not give is left out.
    var values: [UInt: [UInt8]] {
        var found: [UInt: [UInt8]] = [:]
        for (entry, length) in zip(entries, answered) where length <= entry.range.count {
            let start = entry.range.lowerBound
            found[entry.type] = Array(storage[start..<start + Int(length)])
        }
        return found
    }

    /// The values that were put in, without those that are arrays.
    var entered: [UInt: [UInt8]] {
        Dictionary(
            entries.filter { $0.array == nil }.map { ($0.type, Array(storage[$0.range])) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Overwrites all values with zeros, for a template that held a secret.
    mutating func erase() {
        unsafe storage.withUnsafeMutableBytes { bytes in
            if let start = bytes.baseAddress { unsafe explicit_bzero(start, bytes.count) }
        }
    }
}

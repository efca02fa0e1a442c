import CPKCS11

/// Attributes and their values, laid out as a `CK_ATTRIBUTE` array for the length of one call.
struct Template {
    private var entries: [(type: UInt, range: Range<Int>)] = []
    private var storage: [UInt8] = []

    mutating func set(_ type: UInt, _ value: [UInt8]) {
        // CK_ULONG values must lie on their own boundary.
        while storage.count % 8 != 0 { storage.append(0) }
        entries.append((type, storage.count..<storage.count + value.count))
        storage += value
    }

    mutating func set(_ type: UInt, _ value: Bool) { set(type, [value ? 1 : 0]) }

    mutating func set(_ type: UInt, _ value: UInt) {
        set(type, (0..<UInt(MemoryLayout<UInt>.size)).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) })
    }

    /// Room for a value that the module is to fill in.
    mutating func ask(for type: UInt, capacity: Int) {
        set(type, [UInt8](repeating: 0, count: capacity))
    }

    /// Lends the array to `body`.
    mutating func lend(_ body: (UnsafeMutablePointer<CK_ATTRIBUTE>?, UInt) -> UInt) -> UInt {
        var attributes = unsafe [CK_ATTRIBUTE](repeating: CK_ATTRIBUTE(), count: entries.count)
        let entries = entries
        let code = unsafe storage.withUnsafeMutableBytes { bytes in
            for (index, entry) in entries.enumerated() {
                unsafe attributes[index] = CK_ATTRIBUTE(
                    type: entry.type, pValue: bytes.baseAddress?.advanced(by: entry.range.lowerBound),
                    ulValueLen: UInt(entry.range.count))
            }
            return unsafe attributes.withUnsafeMutableBufferPointer { buffer in
                unsafe body(buffer.baseAddress, UInt(buffer.count))
            }
        }
        unsafe answered = attributes.map { unsafe $0.ulValueLen }
        return code
    }

    private var answered: [UInt] = []

    /// What the module filled in; an attribute that it did not give is left out.
    var values: [UInt: [UInt8]] {
        var found: [UInt: [UInt8]] = [:]
        for (entry, length) in zip(entries, answered) where length <= entry.range.count {
            let start = entry.range.lowerBound
            found[entry.type] = Array(storage[start..<start + Int(length)])
        }
        return found
    }
}

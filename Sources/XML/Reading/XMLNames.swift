/// Every distinct name, prefix and namespace URI of a document once, known by a small number.
///
/// Hashing is seeded for each process, so a document can't be made to collide.
struct XMLNames: Sendable {
    // The numbers of what `init` enters first.
    static let none = 0
    static let xml = 1
    static let xmlns = 2
    static let xmlURI = 3
    static let xmlnsURI = 4
    /// `Id`, `id`, `ID`, in no namespace, name an element.
    static let idNames = 5...7
    static let id = 6
    static let base = 8
    static let lang = 9
    static let space = 10

    private var pool: [UInt8] = []
    private var ends: [Int] = []
    private var slots: [Int] = Array(repeating: -1, count: 128)

    init() {
        pool.reserveCapacity(1024)
        for text in [
            "", "xml", "xmlns", "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/", "Id", "id",
            "ID", "base", "lang", "space",
        ] {
            let bytes = Array(text.utf8)
            _ = number(of: bytes, bytes.indices)
        }
    }

    var count: Int { ends.count }

    /// The bytes of a name entered before.
    subscript(_ number: Int) -> ArraySlice<UInt8> {
        pool[(number == 0 ? 0 : ends[number - 1])..<ends[number]]
    }

    func byteCount(_ number: Int) -> Int { ends[number] - (number == 0 ? 0 : ends[number - 1]) }

    func string(_ number: Int) -> String { String(decoding: self[number], as: UTF8.self) }

    /// The number of an entered name, or nil.
    func find(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        let slot = slot(of: bytes, bytes.indices)
        return slots[slot] < 0 ? nil : slots[slot]
    }

    /// Enters `source[range]` unless it is there, and gives its number.
    mutating func number(of source: [UInt8], _ range: Range<Int>) -> Int {
        let slot = slot(of: source, range)
        if slots[slot] >= 0 { return slots[slot] }
        let number = ends.count
        pool.append(contentsOf: source[range])
        ends.append(pool.count)
        slots[slot] = number
        if ends.count * 2 > slots.count { grow() }
        return number
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 2)
        for number in 0..<ends.count { slots[slot(of: pool, self[number].indices)] = number }
    }

    /// Where the name stands, or the free place where it belongs; at least half of the slots are free.
    private func slot(of source: [UInt8], _ range: Range<Int>) -> Int {
        var slot = Self.hash(source, range) & (slots.count - 1)
        while slots[slot] >= 0, !matches(slots[slot], source, range) { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    private func matches(_ number: Int, _ source: [UInt8], _ range: Range<Int>) -> Bool {
        let start = number == 0 ? 0 : ends[number - 1]
        guard ends[number] - start == range.count else { return false }
        var offset = 0
        while offset < range.count {
            if pool[start + offset] != source[range.lowerBound + offset] { return false }
            offset += 1
        }
        return true
    }

    private static func hash(_ source: [UInt8], _ range: Range<Int>) -> Int {
        var hasher = Hasher()
        var word: UInt64 = 0
        var filled = 0
        var index = range.lowerBound
        while index < range.upperBound {
            word = word << 8 | UInt64(source[index])
            filled += 1
            if filled == 8 {
                hasher.combine(word)
                word = 0
                filled = 0
            }
            index += 1
        }
        hasher.combine(word)
        return hasher.finalize()
    }
}

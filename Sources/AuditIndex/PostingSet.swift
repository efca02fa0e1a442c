import HPKI

/// Which records of one chunk of 65 536 have a term: their places in the chunk, as a list while they are few and as
/// a map of bits when they are many, so that any filters are intersected in bounded time.
package struct PostingSet: Sendable, Hashable {
    /// Records of a chunk.
    package static let width = 65_536
    /// From so many on a map is the shorter one.
    private static let listLimit = 4096
    private static let wordCount = width / 64

    private enum Places: Sendable, Hashable {
        /// Ascending.
        case list([UInt16])
        case bits([UInt64])
    }

    private var places: Places
    package private(set) var count: Int

    /// No record.
    package init() {
        places = .list([])
        count = 0
    }

    /// The records at these places, in any order.
    package init(_ places: some Sequence<UInt16>) {
        self.init()
        insert(places)
    }

    /// Every record of a chunk.
    package static let all = PostingSet([UInt64](repeating: .max, count: wordCount))

    // MARK: Changing

    /// Adds places, in any order.
    package mutating func insert(_ new: some Sequence<UInt16>) {
        switch places {
        case .bits(var bits):
            places = .list([])
            for place in new { Self.set(place, in: &bits) }
            count = Self.ones(bits)
            places = .bits(bits)
        case .list(var list):
            places = .list([])
            let last = list.last
            let known = list.count
            list.append(contentsOf: new)
            // The log grows at its end, so what is new lies behind what is known.
            var isAscending = true
            var before = last
            for place in list[known...] {
                if let before, before >= place { isAscending = false }
                before = place
            }
            if !isAscending { list = Self.distinct(list.sorted()) }
            take(list)
        }
    }

    /// Removes one place; false where it was not there.
    @discardableResult package mutating func remove(_ place: UInt16) -> Bool {
        guard contains(place) else { return false }
        switch places {
        case .list(var list):
            list.removeAll { $0 == place }
            take(list)
        case .bits(var bits):
            bits[Int(place) >> 6] &= ~(1 << UInt64(place & 63))
            count -= 1
            places = .bits(bits)
            if count < Self.listLimit { take(ascending()) }
        }
        return true
    }

    // MARK: Asking

    /// Whether the record at `place` has the term.
    package func contains(_ place: UInt16) -> Bool {
        switch places {
        case .bits(let bits): return bits[Int(place) >> 6] >> UInt64(place & 63) & 1 == 1
        case .list(let list):
            let index = Self.lowerBound(list, place)
            return index < list.count && list[index] == place
        }
    }

    /// The places, ascending.
    package func ascending() -> [UInt16] {
        guard case .bits(let bits) = places else {
            if case .list(let list) = places { return list }
            return []
        }
        var list: [UInt16] = []
        list.reserveCapacity(count)
        for (index, word) in bits.enumerated() where word != 0 {
            var rest = word
            while rest != 0 {
                list.append(UInt16(truncatingIfNeeded: index << 6 + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
        return list
    }

    /// How many there are at `range`, which is within a chunk.
    package func count(in range: Range<Int>) -> Int {
        guard !range.isEmpty else { return 0 }
        guard range.lowerBound > 0 || range.upperBound < Self.width else { return count }
        switch places {
        case .list(let list):
            let end = range.upperBound >= Self.width ? list.count : Self.lowerBound(list, UInt16(range.upperBound))
            return end - Self.lowerBound(list, UInt16(range.lowerBound))
        case .bits(let bits):
            let (first, last) = (range.lowerBound >> 6, (range.upperBound - 1) >> 6)
            var total = 0
            for index in first...last { total += (bits[index] & Self.mask(index, range)).nonzeroBitCount }
            return total
        }
    }

    /// Those at `range` alone.
    package func clipped(to range: Range<Int>) -> PostingSet {
        guard range.lowerBound > 0 || range.upperBound < Self.width else { return self }
        switch places {
        case .list(let list): return PostingSet(list.filter { range.contains(Int($0)) })
        case .bits(var bits):
            for index in bits.indices { bits[index] &= Self.mask(index, range) }
            return PostingSet(bits)
        }
    }

    /// Those that are in both.
    package func intersection(_ other: PostingSet) -> PostingSet {
        switch (places, other.places) {
        case (.bits(var left), .bits(let right)):
            for index in left.indices { left[index] &= right[index] }
            return PostingSet(left)
        case (.list(let list), .bits): return PostingSet(list.filter(other.contains))
        case (.bits, .list(let list)): return PostingSet(list.filter(contains))
        case (.list(let left), .list(let right)):
            let (few, many) = left.count < right.count ? (left, other) : (right, self)
            return PostingSet(few.filter(many.contains))
        }
    }

    /// Those that are not in the other.
    package func subtracting(_ other: PostingSet) -> PostingSet {
        guard other.count > 0 else { return self }
        switch (places, other.places) {
        case (.bits(var left), .bits(let right)):
            for index in left.indices { left[index] &= ~right[index] }
            return PostingSet(left)
        case (.bits(var left), .list(let list)):
            for place in list { left[Int(place) >> 6] &= ~(1 << UInt64(place & 63)) }
            return PostingSet(left)
        case (.list(let list), _): return PostingSet(list.filter { !other.contains($0) })
        }
    }

    /// Those that are in either.
    package func union(_ other: PostingSet) -> PostingSet {
        if case (.bits(var left), .bits(let right)) = (places, other.places) {
            for index in left.indices { left[index] |= right[index] }
            return PostingSet(left)
        }
        var (larger, smaller) = count < other.count ? (other, self) : (self, other)
        larger.insert(smaller.ascending())
        smaller = PostingSet()
        return larger
    }

    // MARK: Bytes

    /// The bytes that are stored: 0 and the places of two bytes each, or 1 and a map of 8192 bytes, big-endian.
    package var bytes: [UInt8] {
        var bytes: [UInt8]
        switch places {
        case .list(let list):
            bytes = [0]
            bytes.reserveCapacity(1 + list.count * 2)
            for place in list {
                bytes.append(UInt8(truncatingIfNeeded: place >> 8))
                bytes.append(UInt8(truncatingIfNeeded: place))
            }
        case .bits(let words):
            bytes = [1]
            bytes.reserveCapacity(1 + Self.wordCount * 8)
            for word in words {
                for shift in stride(from: 56, through: 0, by: -8) {
                    bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
                }
            }
        }
        return bytes
    }

    /// Reads what `bytes` gave; throws `.damaged` for anything else.
    package init(_ bytes: [UInt8]) throws(AuditIndexError) {
        switch (bytes.first, bytes.count - 1) {
        case (0, let length) where length % 2 == 0 && length / 2 < Self.listLimit:
            var list: [UInt16] = []
            list.reserveCapacity(length / 2)
            var index = 1
            while index < bytes.count {
                let place = UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
                if let last = list.last, last >= place { throw .damaged("a list of records is out of order") }
                list.append(place)
                index += 2
            }
            places = .list(list)
            count = list.count
        case (1, Self.wordCount * 8):
            var words = [UInt64](repeating: 0, count: Self.wordCount)
            var index = 1
            for place in words.indices {
                var word: UInt64 = 0
                for offset in 0..<8 { word = word << 8 | UInt64(bytes[index + offset]) }
                words[place] = word
                index += 8
            }
            places = .bits(words)
            count = Self.ones(words)
        default: throw .damaged("a list of records cannot be read")
        }
    }

    // MARK: Inside

    private init(_ bits: [UInt64]) {
        count = Self.ones(bits)
        places = .bits(bits)
        if count < Self.listLimit { places = .list(ascending()) }
    }

    private mutating func take(_ list: [UInt16]) {
        count = list.count
        guard list.count >= Self.listLimit else {
            places = .list(list)
            return
        }
        var bits = [UInt64](repeating: 0, count: Self.wordCount)
        for place in list { Self.set(place, in: &bits) }
        places = .bits(bits)
    }

    private static func set(_ place: UInt16, in bits: inout [UInt64]) {
        bits[Int(place) >> 6] |= 1 << UInt64(place & 63)
    }

    private static func ones(_ bits: [UInt64]) -> Int {
        var total = 0
        for word in bits { total += word.nonzeroBitCount }
        return total
    }

    /// The bits of the word at `index` that lie in `range`.
    private static func mask(_ index: Int, _ range: Range<Int>) -> UInt64 {
        let start = index << 6
        let low = max(0, range.lowerBound - start)
        let high = min(64, range.upperBound - start)
        guard low < high else { return 0 }
        return (high == 64 ? UInt64.max : (1 << UInt64(high)) - 1) & (UInt64.max << UInt64(low))
    }

    private static func distinct(_ sorted: [UInt16]) -> [UInt16] {
        var list: [UInt16] = []
        for place in sorted where list.last != place { list.append(place) }
        return list
    }

    private static func lowerBound(_ list: [UInt16], _ place: UInt16) -> Int {
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle] < place { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

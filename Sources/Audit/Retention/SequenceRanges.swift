/// Numbers of records as ranges: what is erased lies together, so that millions of them take little room.
package struct SequenceRanges: Sendable, Hashable {
    /// In ascending order, no two of them neighbours.
    package private(set) var ranges: [ClosedRange<UInt64>] = []

    /// No number.
    package init() {}

    /// These numbers, in any order.
    package init(_ numbers: some Sequence<UInt64>) {
        for number in numbers.sorted() { append(number) }
    }

    /// Whether there is none.
    package var isEmpty: Bool { ranges.isEmpty }

    /// Adds a number that is none of those before the newest.
    package mutating func append(_ number: UInt64) {
        guard let last = ranges.last else { return ranges.append(number...number) }
        if last.contains(number) { return }
        if number > 0, last.upperBound == number - 1 {
            ranges[ranges.count - 1] = last.lowerBound...number
        } else {
            ranges.append(number...number)
        }
    }

    /// Whether the number is among them.
    package func contains(_ number: UInt64) -> Bool {
        let index = first(endingFrom: number)
        return index < ranges.count && ranges[index].contains(number)
    }

    /// Takes numbers out.
    package mutating func subtract(_ other: SequenceRanges) {
        for gone in other.ranges {
            let start = first(endingFrom: gone.lowerBound)
            var end = start
            var rest: [ClosedRange<UInt64>] = []
            while end < ranges.count, ranges[end].lowerBound <= gone.upperBound {
                let range = ranges[end]
                if range.lowerBound < gone.lowerBound { rest.append(range.lowerBound...(gone.lowerBound - 1)) }
                if range.upperBound > gone.upperBound { rest.append((gone.upperBound + 1)...range.upperBound) }
                end += 1
            }
            if start < end { ranges.replaceSubrange(start..<end, with: rest) }
        }
    }

    /// The index of the first range that ends at `number` or behind it.
    private func first(endingFrom number: UInt64) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// `5-9 12`: what `init(text:)` reads.
    package var text: String {
        ranges.map { $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(
            separator: " ")
    }

    /// Reads `text`; nil for what it does not write.
    package init?(text: some StringProtocol) {
        for part in text.split(separator: " ", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
            guard let low = ends.first ?? nil, ends.count < 3, let high = ends.last ?? nil, low <= high,
                ranges.last.map({ $0.upperBound < low }) ?? true
            else { return nil }
            ranges.append(low...high)
        }
        guard self.text == text else { return nil }
    }
}

extension Instant {
    /// Reads a date-time of RFC 3339 §5.6, such as `2026-04-01T09:00:00+09:00`; nil for anything else.
    ///
    /// Leap seconds are refused, since an `Instant` has none; digits behind the milliseconds are dropped.
    package init?(rfc3339 text: String) {
        var bytes = Array(text.utf8)[...]
        func digits(_ count: Int) -> Int? {
            let part = bytes.prefix(count)
            guard part.count == count, part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            bytes.removeFirst(count)
            return part.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
        func take(_ characters: Unicode.Scalar...) -> Bool {
            guard let byte = bytes.first, characters.contains(Unicode.Scalar(byte)) else { return false }
            bytes.removeFirst()
            return true
        }
        guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2), take("T", "t"),
            let hour = digits(2), take(":"), let minute = digits(2), take(":"), let second = digits(2),
            let local = Instant(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        else { return nil }
        var fraction: Int64 = 0
        if take(".") {
            let part = bytes.prefix { (0x30...0x39).contains($0) }
            guard (1...9).contains(part.count) else { return nil }
            bytes.removeFirst(part.count)
            for place in 0..<3 {
                fraction = fraction * 10 + (place < part.count ? Int64(part[part.startIndex + place] - 0x30) : 0)
            }
        }
        var offset: Int64 = 0
        if !take("Z", "z") {
            let isEast = bytes.first == UInt8(ascii: "+")
            guard take("+", "-"), let hours = digits(2), take(":"), let minutes = digits(2), hours < 24, minutes < 60
            else { return nil }
            offset = Int64(hours * 3600 + minutes * 60) * (isEast ? 1 : -1)
        }
        guard bytes.isEmpty else { return nil }
        self.init(milliseconds: local.adding(seconds: -offset).milliseconds + fraction)
    }
}

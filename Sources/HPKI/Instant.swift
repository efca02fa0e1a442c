/// A moment of the wall clock, in milliseconds since 1970-01-01T00:00:00Z without leap seconds.
package struct Instant: Sendable, Hashable, Comparable, Codable {
    package let milliseconds: Int64

    /// A moment by its milliseconds since the epoch.
    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// A moment by its whole seconds since the epoch; far values are held at the type's ends.
    package init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        milliseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }

    /// Whole seconds since the epoch, rounded down.
    package var seconds: Int64 {
        milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0)
    }

    /// This moment cut down to whole seconds, which is all that signatures and certificates carry.
    package var wholeSecond: Instant { Instant(seconds: seconds) }

    /// This moment moved by `seconds`; far values are held at the type's ends.
    package func adding(seconds: Int64) -> Instant {
        let shift = Instant(seconds: seconds).milliseconds
        let (sum, overflow) = milliseconds.addingReportingOverflow(shift)
        return Instant(milliseconds: overflow ? (shift < 0 ? .min : .max) : sum)
    }

    package static func < (left: Instant, right: Instant) -> Bool { left.milliseconds < right.milliseconds }
}

extension Instant {
    /// The civil date and time in UTC (proleptic Gregorian calendar); nil outside the years 0 to 9999.
    package var civil: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int)? {
        let total = seconds
        guard total >= -62_167_219_200, total <= 253_402_300_799 else { return nil }
        let days = total >= 0 ? total / 86_400 : (total - 86_399) / 86_400
        let rest = Int(total - days * 86_400)
        // Days since 0000-03-01, in eras of 400 years.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = Int(shifted - era * 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + Int(era) * 400 + (month <= 2 ? 1 : 0)
        let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        return (year, month, day, rest / 3600, rest / 60 % 60, rest % 60)
    }

    /// The moment of a civil date and time in UTC, or nil where a field is out of its range.
    package init?(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        guard (0...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = Int64(era * 146_097 + dayOfEra - 719_468)
        self.init(seconds: days * 86_400 + Int64(hour * 3600 + minute * 60 + second))
        // A day that the month does not have, such as 31 April, comes back as another date.
        guard let back = civil, back.month == month, back.day == day else { return nil }
    }

    /// `2022-09-07T08:08:01+00:00`, the form of the official sample's SigningTime; nil outside the years 0 to 9999.
    package var xmlDateTime: String? { text(zone: "+00:00") }

    /// `2022-09-07T08:08:01Z` (RFC 3339); nil outside the years 0 to 9999.
    package var rfc3339: String? { text(zone: "Z") }

    /// `2022-09-07T08:08:01.250Z` (RFC 3339); nil outside the years 0 to 9999.
    package var rfc3339Milliseconds: String? {
        let rest = "\(((milliseconds % 1000) + 1000) % 1000)"
        return text(zone: ".\(String(repeating: "0", count: 3 - rest.count))\(rest)Z")
    }

    private func text(zone: String) -> String? {
        guard let at = civil else { return nil }
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let year = String(repeating: "0", count: 4 - "\(at.year)".count) + "\(at.year)"
        return "\(year)-\(two(at.month))-\(two(at.day))T\(two(at.hour)):\(two(at.minute)):\(two(at.second))\(zone)"
    }
}

/// Where the time of day comes from; nothing else in the project reads the clock.
package struct WallClock: Sendable {
    package let now: @Sendable () -> Instant

    /// A clock that answers with what `now` gives.
    package init(now: @escaping @Sendable () -> Instant) {
        self.now = now
    }

    /// A clock that always says `instant`.
    package static func fixed(_ instant: Instant) -> WallClock { WallClock { instant } }
}

/// Where randomness comes from: cryptographically strong in production, seeded in tests.
package struct Random: Sendable {
    package let bytes: @Sendable (_ count: Int) -> [UInt8]

    /// A source that answers with what `bytes` gives for a count.
    package init(bytes: @escaping @Sendable (_ count: Int) -> [UInt8]) {
        self.bytes = bytes
    }
}

internal import HPKI

/// Times as reviewers read them: Japan Standard Time, which knows no summer time, with UTC for machines.
enum JapanTime {
    private static let offset: Int64 = 32_400

    /// `2026-11-26 10:02:03`, in Japan.
    static func text(_ instant: Instant) -> String {
        guard let at = instant.adding(seconds: offset).civil else { return "—" }
        return "\(date(at.year, at.month, at.day)) \(two(at.hour)):\(two(at.minute)):\(two(at.second))"
    }

    /// `2026-11-26T01:02:03.004Z`, for `datetime`.
    static func utc(_ instant: Instant) -> String {
        guard let text = instant.rfc3339 else { return "" }
        let milliseconds = Int(instant.milliseconds - instant.seconds * 1000)
        let digits = "\(milliseconds)"
        return text.dropLast() + "." + String(repeating: "0", count: 3 - digits.utf8.count) + digits + "Z"
    }

    /// What a template's `<time>` needs.
    static func view(_ instant: Instant) -> View { ["jst": text(instant), "utc": utc(instant)] }

    /// `2026-11-26`, in Japan.
    static func day(_ instant: Instant) -> String {
        guard let at = instant.adding(seconds: offset).civil else { return "—" }
        return date(at.year, at.month, at.day)
    }

    /// `11/26` or, where buckets are shorter than a day, `10:00`.
    static func tick(_ instant: Instant, isHourly: Bool) -> String {
        guard let at = instant.adding(seconds: offset).civil else { return "" }
        return isHourly ? "\(two(at.hour)):\(two(at.minute))" : "\(at.month)/\(at.day)"
    }

    /// The moment at which a day begins in Japan; reads `2026-11-26`, and `2026-11-26T10:02` as that minute.
    static func reading(_ text: String) -> Instant? {
        let day = text.utf8.count == 10
        guard text.utf8.count == 16 || day else { return nil }
        return Instant(rfc3339: text + (day ? "T00:00:00+09:00" : ":00+09:00"))
    }

    private static func date(_ year: Int, _ month: Int, _ day: Int) -> String {
        String(repeating: "0", count: max(0, 4 - "\(year)".utf8.count)) + "\(year)-\(two(month))-\(two(day))"
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

/// Numbers as both languages write them: digits in groups of three.
enum ConsoleNumber {
    static func text(_ value: some BinaryInteger) -> String {
        var digits = Array(String(value).utf8)
        var place = digits.count - 3
        while place > 0, digits[place - 1] != UInt8(ascii: "-") {
            digits.insert(UInt8(ascii: ","), at: place)
            place -= 3
        }
        return String(decoding: digits, as: UTF8.self)
    }
}

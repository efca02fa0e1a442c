package import HPKI

/// For how many years what identifies persons is kept, by class.
package struct Retention: Sendable, Hashable {
    /// The years where the configuration says none.
    package static let usualYears = 10

    private let years: [RetentionClass: Int]

    /// Years by class; the usual ones for a class that is not named.
    package init(years: [RetentionClass: Int] = [:]) {
        self.years = years
    }

    /// The years of a class.
    package func years(of retentionClass: RetentionClass) -> Int { years[retentionClass] ?? Self.usualYears }

    /// `signatures 10, …` for people.
    package var words: String {
        RetentionClass.allCases.map { "\($0.name) \(years(of: $0))" }.joined(separator: ", ")
    }

    /// The classes that are not kept beyond what they are counted from.
    package var unkept: [RetentionClass] { RetentionClass.allCases.filter { years(of: $0) < 1 } }

    /// When a record's retention ends.
    ///
    /// Counted from the end of the certificate that it names, and never from a moment before the record itself, since a
    /// record may be written behind that end; where it names none, or the certificate is gone, from its own time.
    package func end(
        of retentionClass: RetentionClass, recorded: Instant, certificateEnd: Instant?
    ) -> Instant {
        max(recorded, certificateEnd ?? recorded).adding(years: years(of: retentionClass))
    }

    /// Records from this time on are all still to be kept at `now`, so that nothing has to look at them.
    package func keptFrom(_ now: Instant) -> Instant {
        now.adding(years: -(RetentionClass.allCases.map { years(of: $0) }.min() ?? 0))
    }
}

extension Instant {
    /// The same day and time so many years later, or earlier below 0; 1 March for a 29 February that there is not.
    func adding(years: Int) -> Instant {
        guard let at = civil else { return self }
        let rest = milliseconds - wholeSecond.milliseconds
        func moment(_ month: Int, _ day: Int) -> Instant? {
            Instant(
                year: at.year + years, month: month, day: day, hour: at.hour, minute: at.minute, second: at.second)
        }
        let moved = moment(at.month, at.day) ?? moment(3, 1)
        // Outside the calendar nothing is due.
        guard let moved else { return Instant(milliseconds: years < 0 ? .min : .max) }
        return Instant(milliseconds: moved.milliseconds + rest)
    }
}

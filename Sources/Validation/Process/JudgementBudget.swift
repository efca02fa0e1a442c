/// When judging is given up, by the caller's clock.
package struct JudgementDeadline: Sendable {
    let hasPassed: @Sendable () -> Bool

    /// A deadline; `hasPassed` is asked between two steps of the work, often.
    package init(_ hasPassed: @escaping @Sendable () -> Bool) {
        self.hasPassed = hasPassed
    }

    /// No deadline.
    package static let none = JudgementDeadline { false }
}

/// Why a document was not judged to the end.
package enum JudgementError: Error, Sendable, Hashable {
    /// The deadline passed first; nothing is said of the document.
    case outOfTime
}

/// The time that all signatures of one document have together; once it has run out it stays so.
final class JudgementClock {
    private let deadline: JudgementDeadline
    private(set) var hasRunOut = false

    init(until deadline: JudgementDeadline = .none) {
        self.deadline = deadline
    }

    /// Asked in each loop over what a document may hold many of.
    func isInTime() -> Bool {
        if !hasRunOut { hasRunOut = deadline.hasPassed() }
        return !hasRunOut
    }
}

/// How much work the signatures of one document may make, together: hostile documents multiply it.
final class JudgementBudget {
    /// Octets digested, read and written, for References and archive time stamps.
    private var octets = 96 << 20
    /// Signatures of revocation lists that are tried with a key.
    private var trials = 128
    private let clock: JudgementClock

    init(_ clock: JudgementClock = JudgementClock()) {
        self.clock = clock
    }

    /// Throws once the octets or the time are used up.
    func take(octets count: Int) throws(Finding) {
        try mustBeInTime()
        octets -= min(count, octets + 1)
        guard octets >= 0 else {
            throw .format("too-much-to-digest", "The signatures of the document cover too much, or too often.")
        }
    }

    /// Whether so many more signatures may be tried.
    func permits(trials count: Int) -> Bool {
        guard count <= trials, isInTime() else { return false }
        trials -= count
        return true
    }

    /// False once there is no time left: the report is then thrown away, so any way out is good.
    func isInTime() -> Bool { clock.isInTime() }

    /// Throws once there is no time left; the finding reaches no report.
    func mustBeInTime() throws(Finding) {
        guard isInTime() else { throw .unknown(.tryLater, "out-of-time", "There was no time to judge the signature.") }
    }
}

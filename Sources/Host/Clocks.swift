internal import CHost
internal import Glibc
package import HPKI

extension WallClock {
    /// The machine's clock of the day.
    package static let live = WallClock {
        let time = read(CLOCK_REALTIME)
        return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// The clock that only goes forward, for time limits and durations.
package enum Monotonic {
    /// Nanoseconds since some fixed moment before this process began.
    package static var now: UInt64 {
        let time = read(CLOCK_MONOTONIC)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// The processor time that this process has used, on all of its threads.
package enum ProcessTime {
    /// Nanoseconds since the process began.
    package static var now: UInt64 {
        let time = read(CLOCK_PROCESS_CPUTIME_ID)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// What the kernel holds of its clock (adjtimex): signatures carry the time, so readiness depends on it.
package struct KernelClock: Sendable, Hashable {
    /// Whether a time daemon keeps the clock.
    package let isSynchronised: Bool
    /// The bound that the daemon gave for the clock's error.
    package let maximumErrorMicroseconds: Int

    /// Asks the kernel; throws `.system`.
    package static func state() throws(HostError) -> KernelClock {
        var error: Int64 = 0
        let result = unsafe chost_clock_state(&error)
        guard result >= 0 else { throw .failed("adjtimex", nil, result) }
        return KernelClock(isSynchronised: result == 1, maximumErrorMicroseconds: Int(error))
    }
}

private func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return time
}

package import HPKI
import Host

/// Watches that the wall clock runs as the monotonic one does: a jump between two looks makes core unready.
package struct ClockGuard: Sendable {
    private let clock: WallClock
    private let startedAt: Instant
    private let startedMonotonic: UInt64
    /// Milliseconds that the two clocks may drift apart before a token's or certificate's time is not to be trusted.
    private static let toleranceMilliseconds: Int64 = 30_000

    /// Notes both clocks.
    package init(clock: WallClock) {
        self.clock = clock
        startedAt = clock.now()
        startedMonotonic = Monotonic.now
    }

    /// Milliseconds by which the wall clock has left the monotonic one since the start.
    package var driftMilliseconds: Int64 {
        let wall = clock.now().milliseconds - startedAt.milliseconds
        let monotonic = Int64(clamping: (Monotonic.now - startedMonotonic) / 1_000_000)
        return wall - monotonic
    }

    /// Whether the wall clock has not jumped.
    package var isSteady: Bool { abs(driftMilliseconds) <= Self.toleranceMilliseconds }
}

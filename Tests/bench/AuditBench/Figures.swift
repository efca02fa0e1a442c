import Foundation
import Glibc

/// Durations in words.
enum Figures {
    static func ms(_ time: Duration) -> String {
        time.formatted(.units(allowed: [.milliseconds], fractionalPart: .show(length: 1)))
    }

    static func seconds(_ time: Duration) -> String {
        time.formatted(.units(allowed: [.seconds], fractionalPart: .show(length: 1)))
    }

    static func spread(_ times: [Duration]) -> String {
        let sorted = times.sorted()
        let (median, p99) = (sorted[sorted.count / 2], sorted[(sorted.count * 99 - 1) / 100])
        return "median \(ms(median)), p99 \(ms(p99)), longest \(ms(sorted[sorted.count - 1]))"
    }

    /// How long `work` takes, and the processor's time that this process used meanwhile.
    static func measure(_ work: () async throws -> Void) async rethrows -> (time: Duration, cpu: Duration) {
        let (clock, used) = (ContinuousClock(), Glibc.clock())
        let begun = clock.now
        try await work()
        return (clock.now - begun, .microseconds(Glibc.clock() - used))
    }
}

/// One line of the result.
func figure(_ name: String, _ value: String) {
    // At once, since a long run is watched.
    FileHandle.standardOutput.write(Data("FIGURE \(name): \(value)\n".utf8))
}

/// Seeded numbers: every run has the same records and searches.
struct Draw: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0xFF51_AFD7_ED55_8CCD | 1 }

    mutating func next() -> UInt64 {
        state = state &* 0x5851_F42D_4C95_7F2D &+ 0x1405_7B7E_F767_814F
        let value = (state ^ state >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return value ^ value >> 33
    }
}

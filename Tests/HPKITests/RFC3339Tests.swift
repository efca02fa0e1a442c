import HPKI
import Testing

@Suite struct RFC3339Tests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("1970-01-01t00:00:01z", 1000), ("1970-01-01T09:00:00+09:00", 0),
        ("1969-12-31T19:00:00.5-05:00", 500), ("2026-04-01T00:00:00.1239Z", 1_775_001_600_123),
    ])
    func `a date-time is read with its zone and its milliseconds`(text: String, milliseconds: Int64) {
        #expect(Instant(rfc3339: text) == Instant(milliseconds: milliseconds))
    }

    @Test(arguments: [
        "", "2026-04-01", "2026-04-01T00:00:00", "2026-04-01 00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-04-01T24:00:00Z", "2026-04-01T00:00:60Z", "2026-04-01T00:00:00.Z", "2026-04-01T00:00:00,5Z",
        "2026-04-01T00:00:00+0900", "2026-04-01T00:00:00+24:00", "2026-04-01T00:00:00Z ", "２026-04-01T00:00:00Z",
        "2026-04-01T00:00:00.1234567890Z", "+026-04-01T00:00:00Z",
    ])
    func `what is no date-time is refused`(text: String) {
        #expect(Instant(rfc3339: text) == nil)
    }

    @Test func `what is written is read back`() throws {
        for seconds in [0, 1_775_001_600, -86_400, 253_402_300_799] as [Int64] {
            let instant = Instant(seconds: seconds)
            let text = try #require(instant.rfc3339)
            #expect(Instant(rfc3339: text) == instant)
        }
    }
}

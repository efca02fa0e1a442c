import CoreProtocol
import Foundation
import HPKI
import Signing
import Synchronization
import Testing
import Validation

/// Judging is bounded: in number, in threads and in time.
@Suite struct JudgesTests {
    /// How many bodies run at this moment, and the most that ever did.
    private final class Crowd: Sendable {
        private let counts = Mutex((now: 0, most: 0))

        var most: Int { counts.withLock { $0.most } }

        func work() {
            counts.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            usleep(20_000)
            counts.withLock { $0.now -= 1 }
        }
    }

    @Test func `no more run at once than there are threads, whoever else waits`() async throws {
        for width in [1, 3] {
            let judges = Judges(threads: width)
            let crowd = Crowd()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        try await judges { () async throws(Failure) in
                            crowd.work()
                            // Behind a wait the work goes on where it was.
                            await Task.yield()
                            crowd.work()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(crowd.most == width)
        }
    }

    @Test func `more than the limit is refused at once, and taken again when one is done`() async throws {
        let judges = Judges(inHand: 1)
        let (waiting, go) = AsyncStream.makeStream(of: Void.self)
        let (began, begin) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await judges { () async throws(Failure) in
                begin.finish()
                for await _ in waiting {}
            }
        }
        for await _ in began {}
        await #expect { try await judges { () async throws(Failure) in } } throws: { error in
            (error as? Failure)?.kind == .overloaded
        }
        go.finish()
        try await first.value
        // Nor does a body that fails keep its place.
        await #expect(throws: Failure.self) {
            try await judges { () async throws(Failure) in throw Failure(.notFound, "-") }
        }
        try await judges { () async throws(Failure) in }
    }

    // MARK: Who is bounded so

    private static let past = RequestOrigin(requestID: "r", token: "t", deadline: 0)

    private func kind(_ body: () async throws -> Void) async -> Failure.Kind? {
        do {
            try await body()
            return nil
        } catch { return (error as? Failure)?.kind }
    }

    @Test func `behind the deadline nothing is judged, carried or raised, and core is not told`() async throws {
        let signed = try await SignDocument(SoftwareCore()).prescription(.csv(prescriptionCSV), origin).document
        let core = SoftwareCore()
        let sign = try SignDocument(core)
        for format in ValidateDocument.Format.allCases {
            #expect(
                await kind { _ = try await sign.validation.report(on: signed, content: nil, as: format, Self.past) }
                    == .judgementTimedOut)
        }
        #expect(
            await kind {
                _ = try await sign.dispensing(
                    prescription: signed.registered, csv: dispensingCSV, acknowledged: [], Self.past)
            } == .judgementTimedOut)
        #expect(
            await kind { _ = try await sign.augment(AugmentationOrder(signature: signed, level: .bT), Self.past) }
                == .judgementTimedOut)
        #expect(core.commands.isEmpty && core.refused.isEmpty)
    }

    @Test func `all three are refused where the judges have enough in hand`() async throws {
        let signed = try await SignDocument(SoftwareCore()).prescription(.csv(prescriptionCSV), origin).document
        let core = SoftwareCore()
        let sign = SignDocument(core: core, judges: Judges(inHand: 0), clock: .fixed(SoftwareCore.now))
        #expect(
            await kind { _ = try await sign.validation.report(on: signed, content: nil, as: .json, origin) }
                == .overloaded)
        #expect(
            await kind {
                _ = try await sign.dispensing(
                    prescription: signed.registered, csv: dispensingCSV, acknowledged: [], origin)
            } == .overloaded)
        #expect(
            await kind { _ = try await sign.augment(AugmentationOrder(signature: signed, level: .bT), origin) }
                == .overloaded)
        #expect(core.commands.isEmpty && core.refused.isEmpty)
    }
}

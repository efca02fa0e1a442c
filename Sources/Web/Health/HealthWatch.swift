internal import CoreProtocol
internal import Host
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Asks core for its health twice a second, so that no number of questions from outside reaches core.
final class HealthWatch: Service, Sendable {
    private struct State {
        var facts: HealthFacts?
        var asked: UInt64 = 0
    }

    /// An older answer counts as none: core may hang.
    private static let freshness: UInt64 = 3_000_000_000

    private let ask: @Sendable () async -> HealthFacts?
    private let logger: Logger
    private let state = Mutex(State())

    init(ask: @escaping @Sendable () async -> HealthFacts?, logger: Logger) {
        self.ask = ask
        self.logger = logger
    }

    /// Asks until the service shuts down.
    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.refresh()
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    func refresh() async {
        let facts = await ask()
        let before = state.withLock { state in
            defer { state = State(facts: facts, asked: Monotonic.now) }
            return state.facts
        }
        for alarm in facts?.alarms ?? [] where !(before?.alarms.contains(alarm) ?? false) {
            logger.warning("alarm", metadata: ["alarm": .string(alarm)])
        }
    }

    /// Core's last word; nil when it did not answer lately.
    var facts: HealthFacts? {
        let state = state.withLock { $0 }
        return Monotonic.now &- state.asked <= Self.freshness ? state.facts : nil
    }
}

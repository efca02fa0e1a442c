import Audit
import CoreProtocol
import HPKI
import Host
import Keys
package import Logging
internal import PKCS11
import Storage

extension CoreInstance {
    /// Polls revocation lists and forgets old claims until its task is cancelled.
    package func run(logger: Logger) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await watch.run(log: logger) }
            group.addTask {
                while (try? await Task.sleep(for: .seconds(600))) != nil {
                    try? await sign.replay.forget(before: clock.now().adding(seconds: -SignatureStore.keepSeconds))
                }
            }
        }
    }

    /// Records the stop, closes the token and the log.
    package func close() async {
        try? await log.recordEvent(.stop, note: "core stopped in order")
        log.stop()
        await pool.close()
        await module.finalize()
        try? database.close()
        lock.release()
    }

    func health(_ counters: Counters) -> HealthFacts {
        let now = clock.now()
        let isTokenReady = if case .ready = pool.health { true } else { false }
        var metrics = counters.all.map { count in
            HealthFacts.Metric(name: "shirushi_core_requests_total{result=\"\(count.name)\"}", value: count.value)
        }
        metrics.append(HealthFacts.Metric(name: "shirushi_core_keys", value: Int64(sign.custody.keyCount)))
        metrics.append(
            HealthFacts.Metric(name: "shirushi_core_clock_drift_milliseconds", value: clockGuard.driftMilliseconds)
        )
        return HealthFacts(
            hsm: isTokenReady && !sign.custody.isFailing, audit: log.isRunning, clock: clockGuard.isSteady,
            alarms: watch.alarms(at: now),
            metrics: metrics
        )
    }

    func administer(_ request: AdminRequest) async throws(Failure) -> CoreReply {
        switch request {
        case .verifyAudit:
            return .auditReport(try await AuditOffice.verify(database, settings.paths))
        case .listAudit(let from, let limit):
            return .auditEntries(try await AuditOffice.entries(database, from: from, limit: Int(limit)))
        }
    }
}

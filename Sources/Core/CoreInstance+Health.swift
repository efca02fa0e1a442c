import Audit
import AuditIndex
import CoreProtocol
import HPKI
import Host
import Keys
import PKCS11

extension CoreInstance {
    func health(_ counters: Counters) -> HealthFacts {
        let now = clock.now()
        let isTokenReady = if case .ready = pool.health { true } else { false }
        let index = review.index.facts
        return HealthFacts(
            hsm: isTokenReady && !sign.custody.isFailing, audit: log.isRunning, clock: clockGuard.isSteady,
            alarms: watch.alarms(at: now) + keyFaults.withLock { Array($0.prefix(5)) } + ceremonyAlarm
                + indexAlarm(index) + witnesses.alarms,
            metrics: counters.metrics + metrics(index, at: now) + witnesses.metrics
        )
    }

    private func metrics(_ index: IndexFacts, at now: Instant) -> [HealthFacts.Metric] {
        let cache = sign.custody.cacheCounts
        var metrics = [
            HealthFacts.Metric(name: "shirushi_core_keys", value: Int64(sign.custody.keyCount)),
            HealthFacts.Metric(name: "shirushi_core_key_cache_total{result=\"hit\"}", value: cache.hits),
            HealthFacts.Metric(name: "shirushi_core_key_cache_total{result=\"miss\"}", value: cache.misses),
            HealthFacts.Metric(name: "shirushi_core_clock_drift_milliseconds", value: clockGuard.driftMilliseconds),
            HealthFacts.Metric(
                name: "shirushi_core_audit_records",
                value: Int64(clamping: index.indexed) + Int64(clamping: index.behind)),
            HealthFacts.Metric(name: "shirushi_core_audit_index_behind", value: Int64(clamping: index.behind)),
        ]
        if let free = Files.freeBytes(at: settings.paths.database) {
            metrics.append(HealthFacts.Metric(name: "shirushi_core_data_free_bytes", value: free))
        }
        if let next = watch.earliestNextUpdate {
            metrics.append(
                HealthFacts.Metric(
                    name: "shirushi_core_crl_next_update_seconds", value: next.seconds - now.seconds))
        }
        return metrics
    }

    /// Keys are to be wrapped and no ceremony was held: what is signed with is as it was, but none can be made.
    private var ceremonyAlarm: [String] {
        guard settings.registration.mode == .wrapped, !registry.epochs.all.contains(where: { $0.state == .current })
        else { return [] }
        return ["there is no wrapping key, so no key can be made; two officers make it: shirushi hsm init"]
    }

    /// A search that misses so many records is no search; while the index is made anew it says so itself.
    private func indexAlarm(_ facts: IndexFacts) -> [String] {
        guard !facts.isRebuilding, facts.behind > 10_000 else { return [] }
        return ["the log's index is \(facts.behind) records behind, so the console does not find the newest"]
    }
}

extension Counters {
    fileprivate var metrics: [HealthFacts.Metric] {
        all.map { count in
            HealthFacts.Metric(name: "shirushi_core_requests_total{result=\"\(count.name)\"}", value: count.value)
        }
    }
}

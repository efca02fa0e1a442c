import Audit
import AuditIndex
import CoreProtocol
import HPKI

extension Review {
    func overview(_ from: Instant, _ to: Instant, _ step: OverviewStep) async throws(Failure) -> OverviewFacts {
        let counts = try await ask { () async throws(AuditIndexError) in
            try await index.overview(from: from, to: to, step: step)
        }
        return OverviewFacts(
            from: counts.from, step: step, buckets: UInt16(clamping: counts.buckets), records: counts.records,
            series: counts.series.map { series in
                guard series.dimension == .client else { return series }
                return OverviewFacts.Series(
                    dimension: series.dimension, name: series.name,
                    facility: facility(of: ClientID(series.name)), total: series.total, counts: series.counts)
            },
            otherClients: counts.otherClients, otherClientUses: counts.otherClientUses, anomalies: counts.anomalies,
            index: index.facts)
    }

    func anomalies(
        _ from: Instant, _ to: Instant, before: UInt64?, limit: Int
    ) async throws(Failure) -> AnomalyPage {
        let found = try await ask { () async throws(AuditIndexError) in
            try await index.anomalies(from: from, to: to, before: before, limit: limit)
        }
        return AnomalyPage(
            anomalies: found.anomalies, next: found.hasMore ? found.anomalies.last?.id : nil, index: index.facts)
    }

    /// How the log stands; asked often and about nobody, so it is no inspection.
    func head() async throws(Failure) -> LogHeadFacts {
        let standing = try await read { try AuditStanding.read(in: $0) }
        let checkpoint = try await checkpoint()
        return LogHeadFacts(
            origin: log.origin, size: standing.size, root: standing.root, newest: standing.newest,
            isRunning: log.isRunning, checkpoint: checkpoint, witnesses: witnesses.facts, index: index.facts)
    }
}

import Audit
package import CoreProtocol
internal import Dispatch
package import HPKI
import Host
package import Storage

/// What operators ask of the audit log, the same while core serves and when nothing does.
package enum AuditOffice {
    /// Checks the whole log; runs on a thread of its own.
    package static func verify(
        _ database: Database, _ paths: CoreSettings.Paths
    ) async throws(Failure) -> AuditReport {
        let result: Result<AuditReport, Failure> = await withCheckedContinuation { answer in
            HostThread.start("audit-verify") {
                answer.resume(returning: Result { () throws(Failure) in try verifyBlocking(database, paths) })
            }
        }
        return try result.get()
    }

    private static func verifyBlocking(
        _ database: Database, _ paths: CoreSettings.Paths
    ) throws(Failure) -> AuditReport {
        do {
            let key = LogKey(try SecretFile.read(paths.logKey, atMost: 4096).copiedBytes)
            let report = try AuditVerifier.report(database, headAt: paths.auditHead, key: key)
            return AuditReport(
                leaves: report.size, rootHash: report.root, openIntents: UInt64(report.openIntents),
                faults: report.faults
            )
        } catch let error as AuditError {
            guard case .broken(let fault) = error else { throw error.failure }
            return AuditReport(leaves: 0, rootHash: [], openIntents: 0, faults: [fault])
        } catch {
            throw Failure(.auditUnavailable, "The audit log cannot be read.", cause: "\(error)")
        }
    }

    /// The entries from `sequence` on, at most `limit`.
    package static func entries(
        _ database: Database, from sequence: UInt64, limit: Int
    ) async throws(Failure) -> [AuditEntryFacts] {
        let entries: [AuditReader.Entry]
        do { entries = try await AuditReader.entries(database, from: sequence, limit: min(limit, 500)) } catch {
            throw error.failure
        }
        return entries.map { entry in
            AuditEntryFacts(
                sequence: entry.leaf.sequence, time: entry.leaf.time, kind: entry.leaf.kind.name,
                fields: (entry.detail?.openings ?? []).map {
                    AuditEntryFacts.Field(name: $0.field.name, value: $0.value)
                } + (entry.leaf.intent.map { [AuditEntryFacts.Field(name: "closes", value: "\($0)")] } ?? [])
            )
        }
    }
}

import Audit
import CoreProtocol
import HPKI
import Identity
import Keys
import Logging
import Storage

// Bulk imports: taken whole, done row by row in the background, each row with its own outcome.
extension Registry {
    func startImport(_ name: String, _ rows: [ImportRow], _ ask: Ask) async throws(Failure) -> ImportFacts {
        guard !name.isEmpty, !rows.isEmpty, rows.count <= RegistrationLimits.importRows else {
            throw Failure(
                .malformedRequest, "An import has a name and 1 to \(RegistrationLimits.importRows) rows.")
        }
        for row in rows {
            if let order = row.order, order.holder != row.holder.id || order.replaces != nil {
                throw Failure(.malformedRequest, "A row orders a first key, for its own holder.")
            }
        }
        let isTaken: Bool
        do {
            isTaken = try await database.write { try ImportStore.start(name, rows, of: ask.authority, in: $0) }
        } catch {
            throw Failure(
                .coreUnavailable, "The import cannot be stored at present.", retryAfter: 5, cause: "\(error)")
        }
        guard isTaken else { throw Failure(.registryConflict, "This name stands for another import.") }
        return try await importFacts(name, ask)
    }

    func importFacts(_ name: String, _ ask: Ask) async throws(Failure) -> ImportFacts {
        guard let facts = try await read({ try ImportStore.facts(name, of: ask.authority, in: $0) }) else {
            throw Failure(.notFound, "This authority has no import of this name.")
        }
        return facts
    }

    func importRows(
        _ name: String, from first: UInt32, limit: Int, _ ask: Ask
    ) async throws(Failure) -> [ImportRowFacts] {
        _ = try await importFacts(name, ask)
        let limit = min(max(limit, 1), RegistrationLimits.reportRows)
        return try await read { try ImportStore.report(name, of: ask.authority, from: first, limit: limit, in: $0) }
    }

    /// Does the rows that wait until its task is cancelled, those of all authorities at the same time; a row that meets
    /// a fault of ours waits on.
    func runImports(log: Logger) async {
        await withTaskGroup(of: Void.self) { group in
            for authority in settings.authorities.map(\.remit.name) {
                group.addTask { await runImports(of: authority, log) }
            }
        }
    }

    private func runImports(of authority: AuthorityID, _ log: Logger) async {
        while !Task.isCancelled {
            let rows = (try? await read { try ImportStore.waiting(of: authority, limit: 50, in: $0) }) ?? []
            var stuck = rows.isEmpty
            for row in rows where !Task.isCancelled {
                if await !perform(row, log) { stuck = true }
            }
            do { try await Task.sleep(for: stuck ? .milliseconds(500) : .zero) } catch { return }
        }
    }

    /// False where the row waits on.
    private func perform(_ row: ImportStore.Waiting, _ logger: Logger) async -> Bool {
        let ask = Ask(party: identification.itself(for: row.authority), requestID: "import \(row.name) \(row.row)")
        var outcome = "done"
        var detail: String?
        do throws(Failure) {
            _ = try await put(row.holder, ask)
            if let order = row.order { _ = try await request(order, ask) }
        } catch {
            if error.retryAfter != nil || error.kind == .unexpected {
                logger.warning("an import's row waits", metadata: ["cause": "\(error.cause ?? error.detail)"])
                return false
            }
            (outcome, detail) = (error.kind.rawValue, error.detail)
        }
        let (word, sentence) = (outcome, detail)
        do {
            try await database.write { try ImportStore.finish(row, outcome: word, detail: sentence, in: $0) }
        } catch { return false }
        return true
    }
}

import Core
import CoreProtocol
import HPKI
import Host
import Keys
import Storage

/// A command on an instance: asked of core over its socket while it serves, done here under the lock when nothing does.
struct AdminCall {
    let home: Home
    /// A ceremony holds the instance's lock already.
    var holdsLock = false

    func callAsFunction(_ request: AdminRequest) async throws -> CoreReply {
        try home.mustExist()
        if holdsLock { return try await here(request) }
        do {
            let lock = try InstanceLock.acquire(at: home.core.lock)
            defer { lock.release() }
            return try await here(request)
        } catch HostError.locked {
            return try await overSocket(request)
        }
    }

    /// Throws unless the log opens and holds; for a ceremony, which holds the lock.
    func checkLog() async throws {
        try await withDatabase { try OfflineAdministration.checkLog($0, home.core) }
    }

    /// The registry's wrapping keys, read beside a core that serves.
    func epochs() async throws -> [WrappingEpoch] {
        try await withDatabase(readOnly: true) { try await OfflineAdministration.epochs($0) }
    }

    private func here(_ request: AdminRequest) async throws -> CoreReply {
        try await withDatabase { database in
            switch request {
            case .addEpoch, .retireEpoch, .noteBackup, .addCheckpointKey, .retireCheckpointKey, .linkCard, .unlinkCard:
                return try await OfflineAdministration.perform(
                    request, database, home.core, origin: try Configuration.read(home).origin,
                    now: WallClock.live.now())
            case .erase(let order):
                let configuration = try Configuration.read(home)
                return .erasure(
                    try await OfflineAdministration.erase(
                        order, database, home.core, origin: configuration.origin, retention: configuration.retention,
                        clock: .live))
            case .rotation:
                return .rotation(try await OfflineAdministration.rotation(database))
            case .auditKeys:
                throw CommandError(
                    "this needs the token, so the instance must serve: shirushi serve --home \(home.path)")
            }
        }
    }

    /// Runs `body` on the instance's database, beside a core that serves where it is `readOnly`.
    func withDatabase<Value>(
        readOnly: Bool = false, _ body: (Database) async throws -> Value
    ) async throws -> Value {
        try home.mustExist()
        let database: Database
        do { database = try Database.open(at: home.core.database, parts: CoreSchema.parts, readOnly: readOnly) } catch {
            throw unreadable(words(for: error))
        }
        defer { try? database.close() }
        do { return try await body(database) } catch let failure as Failure {
            // Evidence is asked for where the log itself is at fault, and nowhere else.
            guard failure.kind == .auditUnavailable else {
                throw CommandError(failure.detail + (failure.cause.map { " (\($0))" } ?? ""))
            }
            throw unreadable(failure.cause ?? failure.detail)
        }
    }

    private func unreadable(_ fault: String) -> CommandError {
        CommandError(
            """
            the audit log cannot be read: \(fault)
            It stands in \(home.core.database) and \(home.core.auditHead).
            Keep both as evidence, then restore the folder \(home.data) as a whole from a backup.
            """
        )
    }

    private func words(for fault: StorageError) -> String {
        switch fault {
        case .missing: "\(home.core.database) does not exist"
        case .corrupt: "\(home.core.database) is damaged or no database of this program"
        default: "\(home.core.database): \(fault)"
        }
    }

    private func overSocket(_ request: AdminRequest) async throws -> CoreReply {
        let client = CoreClient()
        do { client.connect(try UnixListener.connect(to: home.core.adminSocket)) } catch {
            throw CommandError("core holds the instance and does not answer; try again in a moment")
        }
        let watch = Task { await client.watchDeadlines() }
        defer { watch.cancel() }
        let proof = try SecretFile.read(home.core.adminKey, atMost: 64).copiedBytes
        do {
            return try await client.call(.admin(request, proof: proof), deadline: Monotonic.now + 600_000_000_000)
        } catch {
            throw CommandError(error.detail)
        }
    }
}

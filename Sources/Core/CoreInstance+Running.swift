import Audit
import AuditIndex
package import CoreProtocol
package import HPKI
import Host
import Identity
import Keys
package import Logging
internal import PKCS11
import Storage

extension CoreInstance {
    /// Polls revocation lists and forgets old claims until its task is cancelled.
    package func run(logger: Logger) async {
        review.index.start()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await watch.run(log: logger) }
            group.addTask { await recheckLog(logger) }
            group.addTask { await registry.spares.run(log: logger) }
            group.addTask { await runImports(logger: logger) }
            group.addTask { await runRotation(logger: logger) }
            group.addTask {
                repeat {
                    do throws(Failure) { try await tick() } catch {
                        logger.error("what is due was not done", metadata: ["cause": "\(error.cause ?? error.detail)"])
                    }
                } while (try? await Task.sleep(for: .seconds(15))) != nil
            }
            if let authentication {
                group.addTask { await authentication.run(logger) }
            }
            group.addTask {
                repeat { await auditKeys(logger) } while (try? await Task.sleep(for: .seconds(3600))) != nil
            }
            group.addTask {
                while (try? await Task.sleep(for: .seconds(600))) != nil {
                    try? await sign.replay.forget(before: clock.now().adding(seconds: -SignatureStore.keepSeconds))
                    try? await ended.forget(
                        before: clock.now().adding(seconds: -2 * settings.window.seconds), in: database)
                }
            }
        }
    }

    /// Suspends every key of an instance that was restored from a backup, before anything is answered.
    ///
    /// Throws what keeps it from being done; core must not serve then.
    package func recover(logger: Logger) async throws {
        guard Files.exists(settings.paths.restored) else { return }
        let mark = String(decoding: try Files.read(settings.paths.restored, atMost: 65_536), as: UTF8.self)
        let restore = Digest(of: Array(mark.utf8)).hex
        let now = clock.now()
        try await log.recordEvent(.administration, note: "restored from a backup: \(restore)") { connection, _ in
            try SessionStore.endAll(at: now, in: connection)
        }
        try await sign.replay.forget(before: clock.now().adding(seconds: 1))
        let count = try await registry.recover(restore)
        // The database knows from here on; a mark that stayed would void the claims of every start.
        try Files.remove(settings.paths.restored)
        if count > 0 {
            logger.warning(
                "restored: keys are suspended until their authority resumes them", metadata: ["keys": "\(count)"])
        }
    }

    /// Does one act of the platform's, or takes an issuer's word that a login has ended.
    package func platform(_ command: PlatformCommand) async throws(Failure) -> PlatformReply {
        if case .logoutToken(let token) = command.act {
            try await takeLogout(token)
            return .noted
        }
        guard let authentication else { throw Failure(.notFound, "This instance is no authentication platform.") }
        return try await authentication(command)
    }

    /// Reads the cards' revocation lists anew.
    package func pollCards(_ logger: Logger) async {
        for card in [authentication?.hpki, authentication?.jpki] { await card?.watch.poll(log: logger) }
    }

    /// Ends the sessions of holders that are disabled and of cards that are revoked.
    package func endUnworthySessions() async throws(Failure) {
        try await authentication?.endUnworthy(judgesCards: true)
    }

    /// Takes a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6): from now on the login's tokens are refused.
    private func takeLogout(_ token: String) async throws(Failure) {
        let statement: LogoutStatement
        do { statement = try await sign.identification.endedLogin(by: token) } catch { throw error.failure }
        do { try await database.write { try EndedLogins.store(statement, in: $0) } } catch {
            throw Failure(.coreUnavailable, "The logout cannot be kept.", retryAfter: 5, cause: "\(error)")
        }
        ended.took(statement)
    }

    var rotation: Rotation {
        Rotation(
            database: database, custody: sign.custody, epochs: registry.epochs, choice: sign.choice, log: log,
            clock: clock)
    }

    /// Hashes what the start took from a mark; a fault ends core, since nothing may be signed over a broken log.
    private func recheckLog(_ logger: Logger) async {
        guard let recheck else { return }
        logger.info("earlier records are hashed again while serving", metadata: ["records": "\(recheck.size)"])
        do throws(AuditError) {
            try await recheck.run()
            logger.info("the whole log holds", metadata: ["records": "\(recheck.size)"])
        } catch {
            logger.critical("the log does not hold", metadata: ["cause": "\(error)"])
            log.stop(for: error)
        }
    }

    private func auditKeys(_ logger: Logger) async {
        do throws(Failure) {
            let report = try await keysAudit.run(rows: false)
            keyFaults.withLock { $0 = report.faults }
            for fault in report.faults.prefix(20) {
                logger.error("the token is not as the registry says", metadata: ["fault": "\(fault)"])
            }
        } catch { logger.warning("the token's keys cannot be listed", metadata: ["cause": "\(error.detail)"]) }
    }

    private var keysAudit: KeysAudit {
        KeysAudit(database: database, custody: sign.custody, epochs: registry.epochs)
    }

    /// Records the stop, closes the token and the log.
    package func close() async {
        try? await log.recordEvent(.stop, note: "core stopped in order")
        log.stop()
        sign.custody.forgetAll()
        await pool.close()
        await module.finalize()
        await review.index.stop()
        try? database.close()
        lock.release()
    }

    /// Compares the token with the registry, and the registry with the log.
    package func auditKeys() async throws(Failure) -> KeysReport { try await keysAudit.run(rows: true) }

    /// Does what time demands of credentials.
    package func tick() async throws(Failure) { try await registry.tick() }

    /// Does the imports' rows that wait until its task is cancelled.
    package func runImports(logger: Logger) async { await registry.runImports(log: logger) }

    /// Moves keys to the current epoch until its task is cancelled.
    package func runRotation(logger: Logger) async { await rotation.run(logger: logger) }

    /// Does one act of the operator's.
    package func administer(_ request: AdminRequest) async throws(Failure) -> CoreReply {
        switch request {
        case .auditKeys:
            return .keysReport(try await auditKeys())
        case .addEpoch(let epoch, let keyID, let checkValue):
            try await rotation.add(
                WrappingEpoch(epoch: epoch, keyID: keyID, checkValue: checkValue, state: .current))
            return .rotation(try await rotation.facts())
        case .retireEpoch(let epoch):
            try await rotation.retire(epoch)
            return .rotation(try await rotation.facts())
        case .rotation:
            return .rotation(try await rotation.facts())
        case .addCheckpointKey:
            _ = try await LogSecrets.addCheckpointKey(log, settings.paths, .live)
            return .noted
        case .retireCheckpointKey(let id):
            try await LogSecrets.retireCheckpointKey(id, log, settings.paths)
            return .noted
        case .erase(let order):
            let facts = try await Erasure(
                database: database, log: log, retention: settings.retention, clock: clock)(order)
            if facts.next == nil, !order.isDryRun { review.index.nudge() }
            return .erasure(facts)
        case .linkCard(let holder, let certificate):
            try await CardLinks(log: log, clock: clock).link(certificate, to: holder)
            try await authentication?.endAll(of: holder, by: .jpkiCard, note: "session ended: another card linked", "-")
            return .noted
        case .unlinkCard(let holder):
            try await CardLinks(log: log, clock: clock).unlink(holder)
            try await authentication?.endAll(of: holder, by: .jpkiCard, note: "session ended: card unlinked", "-")
            return .noted
        case .noteBackup(let id, let expiresAt):
            let now = clock.now()
            do {
                try await log.recordEvent(.administration, note: "backup \(id)") { connection, _ in
                    try BackupStore.insert(id, takenAt: now, expiresAt: expiresAt, in: connection)
                }
            } catch { throw error.failure }
            return .noted
        }
    }
}

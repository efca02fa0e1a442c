import Ceremony
import CoreProtocol
import HPKI
import Host
import Keys

/// What the registry learns of a ceremony: the epochs of the wrapping key.
struct CeremonyRegistry {
    let home: Home
    /// Core is asked, rather than its files changed here under the lock.
    let isServed: Bool
    /// A development instance can be killed between a signed protocol and the registry.
    let failpoint: Failpoint

    private var call: AdminCall { AdminCall(home: home, holdsLock: !isServed) }

    /// Throws where the instance has a wrapping key already, before anything is made.
    static func checkNone(_ home: Home) async throws {
        guard case .rotation(let facts) = try await AdminCall(home: home)(.rotation), facts.epoch == 0 else {
            let hint = Files.exists(home.developmentPKI) ? "\n" + developmentHint : ""
            throw CommandError(
                """
                the instance has a wrapping key already; nothing was changed. A new epoch begins with: shirushi hsm epoch\
                \(hint)
                """)
        }
    }

    /// How to try ceremonies and backups on a development instance.
    static let developmentHint = """
        The usual development instance has a wrapping key that no officer can restore. To try it, make one without:
          shirushi init --home DIR --development --custody resident
          shirushi hsm init --home DIR --officer A --officer B --officer-pin-file DIR/secrets/hsm-officer.pin
        """

    /// Throws unless the log can be opened and holds, as it does for a core that answers.
    func checkLog() async throws {
        if isServed { _ = try await call(.rotation) } else { try await call.checkLog() }
    }

    /// What earlier ceremonies signed, and a fault kept from the registry until now.
    struct CaughtUp {
        var begun: [EpochRecord] = []
        var retired: [EpochRecord] = []
    }

    /// Enters what protocols tell and the registry does not know; throws where the two contradict each other.
    func catchUp(with protocols: [CeremonyProtocol]) async throws -> CaughtUp {
        let told = EpochRecord.all(in: protocols)
        var done = CaughtUp()
        // A development instance's own wrapping key stands in no protocol, and neither does anything else of it.
        guard !told.isEmpty else { return done }
        let known = try await call.epochs()
        if let stranger = known.first(where: { row in
            !told.contains { Int64($0.epoch) == row.epoch && $0.keyID == row.keyID }
        }) {
            throw CommandError(
                """
                the registry and the officers' protocols tell of different wrapping keys for epoch \(stranger.epoch); \
                nothing was changed. \(home.data) and \(home.path)/custody belong together: take both from one backup
                """)
        }
        for epoch in told where !known.contains(where: { $0.epoch == Int64(epoch.epoch) }) {
            Progress.say("shirushi: epoch \(epoch.epoch) was signed by an earlier ceremony and enters the registry now")
            try await add(epoch.epoch, epoch.keyID, epoch.checkValue)
            done.begun.append(epoch)
        }
        for epoch in told
        where epoch.isRetired && !known.contains(where: { $0.epoch == Int64(epoch.epoch) && $0.state == .retired }) {
            Progress.say("shirushi: the end of epoch \(epoch.epoch) was signed and enters the registry now")
            _ = try await call(.retireEpoch(Int64(epoch.epoch)))
            done.retired.append(epoch)
        }
        return done
    }

    /// Enters a new epoch into the registry.
    func record(_ result: CeremonyResult) async throws {
        failpoint.pass("ceremony.signed")
        try await afterSigning { try await add(result.epoch, result.keyID, result.checkValue) }
    }

    /// Throws unless the epoch is an old one that no key is wrapped under any more.
    func checkUnused(epoch: Int) async throws {
        guard case .rotation(let facts) = try await call(.rotation) else {
            throw CommandError("core gave another answer than was asked for")
        }
        guard facts.epoch != Int64(epoch) else {
            throw CommandError("epoch \(epoch) is the current one; make the next with: shirushi hsm epoch")
        }
        guard facts.retiring.contains(Int64(epoch)) else {
            let retiring = facts.retiring.map(String.init).joined(separator: ", ")
            throw CommandError(
                "there is no epoch \(epoch) to retire; \(retiring.isEmpty ? "none is" : "to be retired: \(retiring)")")
        }
        guard facts.remaining == 0 else {
            throw CommandError(
                """
                \(facts.remaining) keys are not under the current epoch \(facts.epoch) yet; nothing was destroyed.
                They move while the instance serves; see how far it is with: shirushi keys rotation --home \(home.path)
                """)
        }
    }

    /// Enters that an epoch's keys are destroyed.
    func recordRetired(_ result: CeremonyResult) async throws {
        failpoint.pass("ceremony.signed")
        try await afterSigning { _ = try await call(.retireEpoch(Int64(result.epoch))) }
        Progress.say("shirushi: epoch \(result.epoch) is retired")
    }

    private func add(_ epoch: Int, _ keyID: [UInt8], _ checkValue: [UInt8]?) async throws {
        _ = try await call(.addEpoch(Int64(epoch), keyID: keyID, checkValue: checkValue ?? []))
        Progress.say("shirushi: epoch \(epoch) is the current one")
    }

    private func afterSigning(_ body: () async throws -> Void) async throws {
        do { try await body() } catch {
            throw CommandError(
                """
                \(error)
                The ceremony is done and signed. Mend this, then give the same command again: the registry learns of it \
                then.
                """)
        }
    }
}

import Ceremony
import CoreProtocol
import HPKI

/// What the registry learns of a ceremony: the epochs of the wrapping key.
enum CeremonyRegistry {
    /// Throws where the instance has a wrapping key already, before anything is made.
    static func checkNone(_ home: Home) async throws {
        guard case .rotation(let facts) = try await AdminCall(home: home)(.rotation), facts.epoch == 0 else {
            throw CommandError(
                """
                the instance has a wrapping key already; nothing was changed. A new epoch begins with: shirushi hsm epoch
                (A development instance has one that no officer can restore; make one without by --custody resident.)
                """)
        }
    }

    /// Enters a new epoch into the registry, under the lock that the ceremony holds.
    static func record(_ result: CeremonyResult, _ home: Home) async throws {
        _ = try await AdminCall(home: home, holdsLock: true)(
            .addEpoch(Int64(result.epoch), keyID: result.keyID, checkValue: result.checkValue ?? []))
        Progress.say("shirushi: epoch \(result.epoch) is the current one")
    }

    /// Throws while a key is still wrapped under this epoch.
    static func checkUnused(epoch: Int, _ home: Home) async throws {
        guard case .rotation(let facts) = try await AdminCall(home: home, holdsLock: true)(.rotation) else {
            throw CommandError("core gave another answer than was asked for")
        }
        guard facts.epoch != Int64(epoch) else {
            throw CommandError("epoch \(epoch) is the current one; make the next with: shirushi hsm epoch")
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
    static func recordRetired(_ result: CeremonyResult, _ home: Home) async throws {
        _ = try await AdminCall(home: home, holdsLock: true)(.retireEpoch(Int64(result.epoch)))
        Progress.say("shirushi: epoch \(result.epoch) is retired")
    }
}

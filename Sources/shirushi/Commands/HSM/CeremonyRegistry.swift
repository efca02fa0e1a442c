import Ceremony

/// What the registry learns of a ceremony: the epochs of the wrapping key.
enum CeremonyRegistry {
    /// Enters a new epoch into the registry.
    static func record(_ result: CeremonyResult, _ home: Home) async throws {
        Progress.say("shirushi: epoch \(result.epoch) is described by \(result.protocolFile)")
    }

    /// Throws while a key is still wrapped under this epoch.
    static func checkUnused(epoch: Int, _ home: Home) async throws {
        throw CommandError("whether epoch \(epoch) is still in use cannot be told yet; nothing was destroyed")
    }

    /// Enters that an epoch's keys are destroyed.
    static func recordRetired(_ result: CeremonyResult, _ home: Home) async throws {
        Progress.say("shirushi: epoch \(result.epoch) is retired by \(result.protocolFile)")
    }
}

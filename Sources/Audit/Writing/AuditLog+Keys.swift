import HPKI
package import Transparency

extension AuditLog {
    /// Signs from here on with another checkpoint key too, and records it; throws `.unreadable` where there are too many
    /// keys, and `.stopped`.
    ///
    /// Until the older key is retired both sign, so that whoever trusts it sees the new key under the same checkpoint.
    package func addCheckpointKey(seed: [UInt8]) async throws(AuditError) -> NoteKey {
        try signers.add(seed)
        guard let key = signers.keys.last else { throw .stopped }
        try await recordEvent(.administration, note: "checkpoint key added: \(key.text)")
        return key
    }

    /// Records that a checkpoint key is retired, under its own signature too, and signs with it no more; throws
    /// `.refused` for the only key, or one that does not sign.
    package func retireCheckpointKey(_ id: String) async throws(AuditError) {
        let keys = signers.keys
        guard keys.count > 1, let key = keys.first(where: { $0.keyIDText == id }) else {
            throw .refused(
                Failure(.wrongState, "The key is not one of several that sign; add the key that takes over first."))
        }
        try await recordEvent(.administration, note: RetiredKeys.note + key.text)
        _ = signers.retire(key)
    }
}

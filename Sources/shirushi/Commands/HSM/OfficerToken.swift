import Ceremony
import Host
import PKCS11

/// A token in which the security officer is logged in.
struct OfficerToken: CeremonyToken {
    let session: OfficerSession
    /// The envelope of the PIN that opened the session.
    let officerPIN: String
    let facts: TokenFacts

    func importWrappingKey(_ value: LockedBytes, label: String, id: [UInt8]) async throws {
        var plain = value.copiedBytes
        defer { plain.erase() }
        try await session.importWrappingKey(plain, label: label, id: id)
    }

    func generateWrappingKey(label: String, id: [UInt8]) async throws {
        try await session.generateWrappingKey(label: label, id: id)
    }

    func importRotationKey(_ value: LockedBytes, label: String, id: [UInt8]) async throws {
        var plain = value.copiedBytes
        defer { plain.erase() }
        try await session.importRotationKey(plain, label: label, id: id)
    }

    func destroy(id: [UInt8]) async throws {
        do { try await session.destroy(id: id) } catch .keyMissing {}
    }
}

extension LockedBytes {
    /// The same secret as a PIN; the copy in between is overwritten.
    var asPIN: PIN {
        var bytes = copiedBytes
        return PIN(consuming: &bytes)
    }
}

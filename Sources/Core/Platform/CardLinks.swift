import Audit
import Certificates
import HPKI
import Identity
import Storage

/// Links My Number cards to holders and unlinks them, by the operator's hand.
struct CardLinks {
    let log: AuditLog
    let clock: WallClock

    /// Links a card's certificate (DER) to a holder, in the place of the one before; throws `.registryConflict` where it
    /// belongs to another holder: one card, one holder (JPKIHREGERR003).
    ///
    /// The log tells that it was done and to whom, and nothing of the card.
    func link(_ certificate: [UInt8], to holder: HolderID) async throws(Failure) {
        guard let card = try? HPKICertificate(der: certificate), let issuerKey = card.authorityKeyIdentifier,
            !issuerKey.isEmpty
        else { throw Failure(.malformedRequest, "This is no certificate with its issuer's key identifier.") }
        guard card.roles.isEmpty, card.subject.first(OID.serialNumber) == nil else {
            throw Failure(.malformedRequest, "This is a certificate of a profession, not a My Number card's.")
        }
        let (link, now) = (CardLinkStore.Card(issuerKey: issuerKey, serial: card.serialNumber), clock.now())
        try await record("My Number card linked", holder) { connection in
            guard try HolderStore.exists(holder, in: connection) else {
                throw Failure(.notFound, "No holder of this id is registered.")
            }
            guard try CardLinkStore.link(link, to: holder, at: now, in: connection) else {
                throw Failure(.registryConflict, "The card belongs to another holder (JPKIHREGERR003).")
            }
        }
    }

    /// Unlinks a holder's card.
    func unlink(_ holder: HolderID) async throws(Failure) {
        try await record("My Number card unlinked", holder) { try CardLinkStore.unlink(holder, in: $0) }
    }

    private func record(
        _ note: String, _ holder: HolderID, _ step: @escaping @Sendable (any SQLConnection) throws -> Void
    ) async throws(Failure) {
        do {
            try await log.recordEvent(.administration, note: note, holder: holder) { connection, _ in
                try step(connection)
            }
        } catch { throw error.failure }
    }
}

import CPKCS11
internal import Synchronization

/// A token found by its label, and the count of the logins that its handles belong to.
package final class PKCS11Token: Sendable {
    // Held so that the module outlives every session.
    let module: PKCS11Module
    /// The label by which the token was found.
    package let label: String
    /// The serial number that the module reports.
    package let serial: String
    /// Who made the token, as the module reports it.
    package let manufacturer: String

    // Where the token is: nil while a module that was initialised anew does not show it.
    private let place: Mutex<UInt?>
    // The PIN that the token refused, which is never given to it again, by whichever session.
    private let refusal = Mutex<(pin: PIN, error: PKCS11Error)?>(nil)

    // INVARIANT: grows with each login that was not one already, and with each end of a module's generation. Handles of private objects end with the login
    // under which they were found, and a module may give the same number to another key afterwards.
    private let logins = Atomic<Int>(0)

    init(module: PKCS11Module, slot: UInt, label: String, serial: String, manufacturer: String) {
        self.module = module
        place = Mutex(slot)
        self.label = label
        self.serial = serial
        self.manufacturer = manufacturer
    }

    /// Opens a session on an operating system thread of its own; writable where objects are made or destroyed.
    package func openSession(writable: Bool = false) async throws(PKCS11Error) -> PKCS11Session {
        let session = PKCS11Session(token: self, isWritable: writable)
        try await session.open()
        return session
    }

    /// The number of the token's slot; throws `tokenGone` while no slot is known.
    func slot() throws(PKCS11Error) -> UInt {
        guard let slot = place.withLock({ $0 }) else {
            throw .tokenGone(PKCS11Fault(function: "C_GetSlotList", code: CKR_TOKEN_NOT_PRESENT))
        }
        return slot
    }

    func move(to slot: UInt?) { place.withLock { $0 = slot } }

    func noteRefusal(of pin: PIN, _ error: PKCS11Error) { refusal.withLock { $0 = (pin, error) } }

    /// Why this very PIN must not be tried again, if it was refused before.
    func refusal(of pin: PIN) -> PKCS11Error? {
        refusal.withLock { $0.flatMap { $0.pin === pin ? $0.error : nil } }
    }

    var login: Int { logins.load(ordering: .acquiring) }

    func noteLogin() { logins.add(1, ordering: .acquiringAndReleasing) }
}

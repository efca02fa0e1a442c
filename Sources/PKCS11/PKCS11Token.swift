internal import Synchronization

/// A token found by its label, and the count of the logins that its handles belong to.
package final class PKCS11Token: Sendable {
    // Held so that the module outlives every session.
    let module: PKCS11Module
    let slot: UInt
    /// The label by which the token was found.
    package let label: String
    /// The serial number that the module reports.
    package let serial: String
    /// Who made the token, as the module reports it.
    package let manufacturer: String

    // INVARIANT: grows with each login that was not one already. Handles of private objects end with the login
    // under which they were found, and a module may give the same number to another key afterwards.
    private let logins = Atomic<Int>(0)

    init(module: PKCS11Module, slot: UInt, label: String, serial: String, manufacturer: String) {
        self.module = module
        self.slot = slot
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

    var login: Int { logins.load(ordering: .acquiring) }

    func noteLogin() { logins.add(1, ordering: .acquiringAndReleasing) }
}

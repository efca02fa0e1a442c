import CPKCS11

/// A session in which the security officer is logged in: it makes and destroys wrapping keys, and sees public objects.
///
/// While it is open nobody else can log in to the token from this process (PKCS#11 v2.40 §5.6).
package final class OfficerSession: Sendable {
    private let session: PKCS11Session

    fileprivate init(_ session: PKCS11Session) { self.session = session }

    /// Makes a trusted wrapping key of `value`, 32 bytes of AES-256, as a token object.
    ///
    /// What the token says of it is read back: a key that is not `isSoundWrappingKey` is destroyed, and `weakKey`
    /// thrown. Copies of the value made here are overwritten; the caller's array is the caller's to erase.
    package func importWrappingKey(_ value: [UInt8], label: String, id: [UInt8]) async throws(PKCS11Error) {
        try await session.makeWrappingKey(value, forRotation: false, label: label, id: id)
    }

    /// Generates a trusted wrapping key in the token, which nobody can have a copy of; checked as an imported one is.
    package func generateWrappingKey(label: String, id: [UInt8]) async throws(PKCS11Error) {
        try await session.makeWrappingKey(nil, forRotation: false, label: label, id: id)
    }

    /// Makes a rotation key of the value of a wrapping key that is to be given up: it unwraps holders' keys so that
    /// they can be wrapped under the next wrapping key.
    ///
    /// One that is not `isSoundRotationKey` is destroyed, and `weakKey` thrown. Destroy it after the rotation.
    package func importRotationKey(_ value: [UInt8], label: String, id: [UInt8]) async throws(PKCS11Error) {
        try await session.makeWrappingKey(value, forRotation: true, label: label, id: id)
    }

    /// The token's secret keys that wrap or unwrap.
    package func wrappingKeys() async throws(PKCS11Error) -> [KeyObject] { try await session.wrappingKeys() }

    /// Destroys the secret keys with this label; throws `keyMissing` where there is none.
    package func destroy(label: String) async throws(PKCS11Error) {
        try await session.destroySecretKeys { $0.label == label }
    }

    /// Destroys the secret keys with this CKA_ID; throws `keyMissing` where there is none.
    package func destroy(id: [UInt8]) async throws(PKCS11Error) {
        try await session.destroySecretKeys { $0.id == id }
    }

    /// Sets the user's PIN, also one that is locked (C_InitPIN).
    package func setUserPIN(_ pin: PIN) async throws(PKCS11Error) { try await session.setUserPIN(pin) }

    /// Logs out and closes the session.
    package func close() async {
        await session.logout()
        await session.close()
    }
}

extension PKCS11Token {
    /// Opens a session and logs the security officer in; the PIN is given to the token once.
    ///
    /// Throws `refused` while another session of this process is open without the right to write, or the user is logged
    /// in (CKR_SESSION_READ_ONLY_EXISTS, CKR_USER_ANOTHER_ALREADY_LOGGED_IN).
    package func openOfficerSession(pin: PIN) async throws(PKCS11Error) -> OfficerSession {
        let session = try await openSession(writable: true)
        do throws(PKCS11Error) { try await session.login(pin, as: CKU_SO) } catch {
            await session.close()
            throw error
        }
        return OfficerSession(session)
    }
}

extension PKCS11Session {
    private static let valueLength = 32

    fileprivate func makeWrappingKey(
        _ value: [UInt8]?, forRotation: Bool, label: String, id: [UInt8]
    ) throws(PKCS11Error) {
        guard value.map({ $0.count == Self.valueLength }) ?? true else {
            throw ReturnValue.error("C_CreateObject", CKR_KEY_SIZE_RANGE)
        }
        // Two keys of one CKA_ID could not be told apart by those who look for them.
        guard try !secretKeys().contains(where: { $0.id == id }) else {
            throw ReturnValue.error("C_CreateObject", CKR_ATTRIBUTE_VALUE_INVALID)
        }
        var template = WrappingKey.attributes(forRotation: forRotation, label: label, id: id)
        defer { template.erase() }
        let session = try handle()
        var object: CK_OBJECT_HANDLE = 0
        if let value {
            template.set(secret: CKA_VALUE, value)
            let code = unsafe template.lend { unsafe shirushi_create_object(functions.list, session, $0, $1, &object) }
            try check("C_CreateObject", code)
        } else {
            template.set(CKA_VALUE_LEN, UInt(Self.valueLength))
            let code = unsafe template.lend {
                unsafe shirushi_generate_key(functions.list, session, CKM_AES_KEY_GEN, $0, $1, &object)
            }
            try check("C_GenerateKey", code)
        }
        do throws(PKCS11Error) {
            guard let key = try secretKeys().first(where: { $0.handle.object == object }) else { throw .weakKey }
            guard forRotation ? key.isSoundRotationKey : key.isSoundWrappingKey else { throw .weakKey }
        } catch {
            discard(object)
            throw error
        }
    }

    fileprivate func destroySecretKeys(_ isMeant: (KeyObject) -> Bool) throws(PKCS11Error) {
        let keys = try secretKeys().filter(isMeant)
        guard !keys.isEmpty else { throw .keyMissing }
        for key in keys { try destroy(key.handle) }
    }

    fileprivate func setUserPIN(_ pin: PIN) throws(PKCS11Error) {
        let session = try handle()
        let code = unsafe pin.withBytes { bytes in
            unsafe shirushi_init_pin(functions.list, session, bytes.baseAddress, UInt(bytes.count))
        }
        try check("C_InitPIN", code)
    }
}

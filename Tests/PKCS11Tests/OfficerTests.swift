import CPKCS11
import Foundation
import HPKI
import PKCS11
import Testing

extension PKCS11Tests {
    @Suite struct Officer {
        @Test func `a wrapping key is sound, generated or imported, and the user finds it by its CKA_ID`() async throws
        {
            let hsm = try await TestHSM.shared
            let token = try await hsm.blankToken("sound")
            let officer = try await token.openOfficerSession(pin: .of("87654321"))
            try await officer.generateWrappingKey(label: "made here", id: [1])
            try await officer.importWrappingKey([UInt8](repeating: 9, count: 32), label: "brought", id: [2])
            #expect(try await officer.wrappingKeys().map(\.isSoundWrappingKey) == [true, true])
            await officer.close()
            let session = try await token.openSession()
            try await session.login(.of("1234"))
            let keys = try await session.secretKeys()
            #expect(Set(keys.map(\.id)) == [[1], [2]])
            for key in keys {
                #expect(key.isSoundWrappingKey)
                #expect(key.attributes.isTrusted == true && key.attributes.isPrivate == false)
                #expect(key.attributes.isCopyable == false && key.attributes.isModifiable == false)
                // CKA_EXTRACTABLE is asked of whatever is unwrapped.
                #expect(key.unwrapTemplate?[0x162] == [0])
                #expect(try await session.reveals(key.handle) == false)
            }
        }

        @Test func `a key of another length, a second one of a CKA_ID and a weak one are refused`() async throws {
            let hsm = try await TestHSM.shared
            let token = try await hsm.blankToken("refused keys")
            let officer = try await token.openOfficerSession(pin: .of("87654321"))
            let value = [UInt8](repeating: 9, count: 32)
            await #expect(throws: PKCS11Error.self) {
                try await officer.importWrappingKey([UInt8](repeating: 9, count: 16), label: "short", id: [1])
            }
            try await hsm.during("weak-key") {
                await #expect(throws: PKCS11Error.weakKey) {
                    try await officer.importWrappingKey(value, label: "decrypts", id: [1])
                }
                await #expect(throws: PKCS11Error.weakKey) {
                    try await officer.generateWrappingKey(label: "decrypts", id: [1])
                }
                await #expect(throws: PKCS11Error.weakKey) {
                    try await officer.importRotationKey(value, label: "decrypts", id: [1])
                }
            }
            #expect(try await officer.wrappingKeys().isEmpty)
            try await officer.generateWrappingKey(label: "first", id: [1])
            await #expect(throws: PKCS11Error.self) {
                try await officer.generateWrappingKey(label: "second", id: [1])
            }
            try await officer.importRotationKey(value, label: "rotation", id: [2])
            try await officer.destroy(label: "first")
            #expect(try await officer.wrappingKeys().map(\.label) == ["rotation"])
            try await officer.destroy(id: [2])
            #expect(try await officer.wrappingKeys().isEmpty)
            await #expect(throws: PKCS11Error.keyMissing) { try await officer.destroy(id: [2]) }
            await officer.close()
        }

        @Test func `nobody else is logged in beside the officer, and a wrong PIN is given once`() async throws {
            let hsm = try await TestHSM.shared
            let (token, session) = try await hsm.token("one at a time")
            await #expect {
                _ = try await token.openOfficerSession(pin: .of("87654321"))
            } throws: {
                guard case .refused(let fault) = $0 as? PKCS11Error else { return false }
                return fault.function == "C_Login"
            }
            await session.close()
            let before = hsm.logins.count
            let wrong = PIN.of("11111111")
            for _ in 0..<2 {
                await #expect(throws: PKCS11Error.pinIncorrect) { _ = try await token.openOfficerSession(pin: wrong) }
            }
            #expect(Array(hsm.logins.dropFirst(before)) == ["login 0 0xa0"])
            let officer = try await token.openOfficerSession(pin: .of("87654321"))
            await #expect(throws: PKCS11Error.self) { _ = try await SessionPool.open(token, pin: .of("1234")) }
            try await officer.setUserPIN(.of("4321"))
            await officer.close()
            let user = try await token.openSession()
            await #expect(throws: PKCS11Error.pinIncorrect) { try await user.login(.of("1234")) }
            try await user.login(.of("4321"))
        }

        /// What somebody with the user's PIN and a blob may try; each line is one call of the module.
        @Test func `the user can neither change nor copy a wrapping key, nor get a holder's key out`() async throws {
            let hsm = try await TestHSM.shared
            let (token, session, key) = try await hsm.wrapping("attacks")
            let pair = try await session.generateWrappedKeyPair(.p256, under: key)
            let slot = try #require(try await hsm.module.slots().first { $0.label == token.label }).slot
            let attacker = try unsafe Attacker(library: hsm.library, slot: slot, wrappingKey: [0xE1])
            defer { unsafe attacker.close() }
            for type in [CKA_DECRYPT, CKA_EXTRACTABLE, CKA_TRUSTED, CKA_DERIVE, CKA_ENCRYPT, CKA_MODIFIABLE] {
                #expect(unsafe attacker.set(type, true) != CKR_OK)
            }
            #expect(unsafe attacker.set(CKA_SENSITIVE, false) != CKR_OK)
            #expect(unsafe attacker.copy([CKA_DECRYPT: 1, CKA_TOKEN: 0]) != CKR_OK)
            #expect(unsafe attacker.copy([CKA_TOKEN: 0]) != CKR_OK)
            #expect(unsafe attacker.decrypt(pair.blob) != CKR_OK)
            // The proper unwrap works, so that the others fail for what they change.
            #expect(unsafe attacker.unwrap(pair.blob, changing: [:]) == CKR_OK)
            for change: [UInt: UInt8] in [
                [CKA_SENSITIVE: 0], [CKA_EXTRACTABLE: 1], [CKA_TOKEN: 1], [CKA_DECRYPT: 1], [CKA_PRIVATE: 0],
            ] {
                #expect(unsafe attacker.unwrap(pair.blob, changing: change) != CKR_OK)
            }
            #expect(unsafe attacker.wrapHolderKeyUnderOwnKey(pair.blob) != CKR_OK)
            #expect(try await session.wrappingKeys().filter { $0.id == [0xE1] }.map(\.isSoundWrappingKey) == [true])
        }
    }
}

/// Calls the module as its user, past everything that `PKCS11` checks.
@unsafe private struct Attacker {
    struct Failed: Error { let what: String }

    let functions: ShirushiFunctions
    var session: CK_SESSION_HANDLE = 0
    var wrappingKey: CK_OBJECT_HANDLE = 0

    init(library: String, slot: UInt, wrappingKey id: [UInt8]) throws {
        var list: ShirushiFunctions?
        guard unsafe shirushi_load(library, &list) == nil, let list = unsafe list else { throw Failed(what: "load") }
        unsafe functions = list
        guard
            unsafe shirushi_open_session(list, slot, CK_FLAGS(CKF_SERIAL_SESSION | CKF_RW_SESSION), &session) == CKR_OK
        else { throw Failed(what: "session") }
        var id = id
        let code = unsafe id.withUnsafeMutableBytes { bytes in
            var wanted = unsafe CK_ATTRIBUTE(type: CKA_ID, pValue: bytes.baseAddress, ulValueLen: UInt(bytes.count))
            return unsafe shirushi_find_objects_init(list, session, &wanted, 1)
        }
        var count: UInt = 0
        guard code == CKR_OK, unsafe shirushi_find_objects(list, session, &wrappingKey, 1, &count) == CKR_OK, count == 1
        else { throw Failed(what: "key") }
        _ = unsafe shirushi_find_objects_final(list, session)
    }

    func close() { _ = unsafe shirushi_close_session(functions, session) }

    func set(_ type: UInt, _ value: Bool) -> UInt {
        unsafe with([type: value ? 1 : 0]) {
            unsafe functions.pointee.C_SetAttributeValue(session, wrappingKey, $0, $1)
        }
    }

    func copy(_ changes: [UInt: UInt8]) -> UInt {
        var copied: CK_OBJECT_HANDLE = 0
        return unsafe with(changes) { unsafe functions.pointee.C_CopyObject(session, wrappingKey, $0, $1, &copied) }
    }

    func decrypt(_ blob: [UInt8]) -> UInt {
        for type in [CKM_AES_ECB, CKM_AES_CBC_PAD, CKM_AES_KEY_WRAP_PAD] {
            var initial = [UInt8](repeating: 0, count: 16)
            let code = unsafe initial.withUnsafeMutableBytes { bytes in
                var mechanism = unsafe CK_MECHANISM(
                    mechanism: type, pParameter: type == CKM_AES_CBC_PAD ? bytes.baseAddress : nil,
                    ulParameterLen: type == CKM_AES_CBC_PAD ? 16 : 0)
                return unsafe functions.pointee.C_DecryptInit(session, &mechanism, wrappingKey)
            }
            if code == CKR_OK { return code }
        }
        return CKR_KEY_FUNCTION_NOT_PERMITTED
    }

    func unwrap(_ blob: [UInt8], changing changes: [UInt: UInt8]) -> UInt {
        var key: CK_OBJECT_HANDLE = 0
        let code = unsafe unwrap(blob, changing: changes, &key)
        if code == CKR_OK { _ = unsafe shirushi_destroy_object(functions, session, key) }
        return code
    }

    /// Makes a key of the attacker's own and wraps a holder's key, freshly unwrapped, under it.
    func wrapHolderKeyUnderOwnKey(_ blob: [UInt8]) -> UInt {
        var (key, own): (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE) = (0, 0)
        guard unsafe unwrap(blob, changing: [:], &key) == CKR_OK else { return CKR_OK }
        defer { _ = unsafe shirushi_destroy_object(functions, session, key) }
        var length: UInt = 32
        let code = unsafe with([CKA_WRAP: 1, CKA_DECRYPT: 1, CKA_TOKEN: 0, CKA_PRIVATE: 0]) { start, count in
            var all = unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
            return unsafe withUnsafeMutablePointer(to: &length) { pointer in
                unsafe all.append(CK_ATTRIBUTE(type: CKA_VALUE_LEN, pValue: pointer, ulValueLen: 8))
                return unsafe shirushi_generate_key(functions, session, CKM_AES_KEY_GEN, &all, UInt(all.count), &own)
            }
        }
        guard code == CKR_OK else { return CKR_OK }
        var wrapped = [UInt8](repeating: 0, count: 4096)
        var wrappedLength: UInt = 4096
        return unsafe shirushi_wrap_key(
            functions, session, CKM_AES_KEY_WRAP_PAD, own, key, &wrapped, &wrappedLength)
    }

    private func unwrap(_ blob: [UInt8], changing changes: [UInt: UInt8], _ key: inout CK_OBJECT_HANDLE) -> UInt {
        var values: [UInt: UInt8] = [
            CKA_TOKEN: 0, CKA_PRIVATE: 1, CKA_SENSITIVE: 1, CKA_EXTRACTABLE: 0, CKA_SIGN: 1, CKA_DECRYPT: 0,
            CKA_UNWRAP: 0, CKA_DERIVE: 0, CKA_SIGN_RECOVER: 0,
        ]
        values.merge(changes) { $1 }
        var numbers: [UInt] = [CKO_PRIVATE_KEY, CKK_EC, 0]
        return unsafe with(values) { start, count in
            var all = unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
            return unsafe numbers.withUnsafeMutableBufferPointer { pair in
                unsafe all.append(CK_ATTRIBUTE(type: CKA_CLASS, pValue: pair.baseAddress, ulValueLen: 8))
                unsafe all.append(
                    CK_ATTRIBUTE(type: CKA_KEY_TYPE, pValue: pair.baseAddress?.advanced(by: 1), ulValueLen: 8))
                // Last, since SoftHSM refuses what comes behind it.
                unsafe all.append(
                    CK_ATTRIBUTE(type: CKA_MODIFIABLE, pValue: pair.baseAddress?.advanced(by: 2), ulValueLen: 1))
                return unsafe shirushi_unwrap_key(
                    functions, session, CKM_AES_KEY_WRAP_PAD, wrappingKey, blob, UInt(blob.count), &all,
                    UInt(all.count), &key)
            }
        }
    }

    private func with(_ values: [UInt: UInt8], _ body: (UnsafeMutablePointer<CK_ATTRIBUTE>, UInt) -> UInt) -> UInt {
        let types = Array(values.keys)
        var bytes = types.compactMap { values[$0] }
        return unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var attributes = unsafe types.indices.map { index in
                unsafe CK_ATTRIBUTE(
                    type: types[index], pValue: buffer.baseAddress?.advanced(by: index), ulValueLen: 1)
            }
            return unsafe attributes.withUnsafeMutableBufferPointer { entries in
                guard let start = entries.baseAddress else { return CKR_ARGUMENTS_BAD }
                return unsafe body(start, UInt(entries.count))
            }
        }
    }
}

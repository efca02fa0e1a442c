import CPKCS11

/// What a module said no to.
struct Refusal: Error {
    let fault: PKCS11Fault

    var words: String { "\(fault)" }

    /// Whether the answer judges the request; a lost session or a broken device does not.
    var isJudgement: Bool {
        switch ReturnValue.error(fault.function, fault.code) {
        case .sessionLost, .tokenGone, .tooManySessions, .pinIncorrect, .pinLocked: return false
        default: break
        }
        return ![CKR_HOST_MEMORY, CKR_DEVICE_MEMORY, CKR_DEVICE_ERROR].contains(fault.code)
    }
}

/// One session whose calls answer with the module's own return values; it stays on the probe's thread.
struct BareSession: Sendable {
    let functions: Functions
    let slot: UInt
    let session: CK_SESSION_HANDLE

    static func open(_ functions: Functions, slot: UInt) throws(Refusal) -> BareSession {
        var session = CK_SESSION_HANDLE()
        try accept("C_OpenSession", functions.openSession(slot, isWritable: true, &session))
        return BareSession(functions: functions, slot: slot, session: session)
    }

    func close() { _ = unsafe shirushi_close_session(functions.list, session) }

    /// Logs in once, whatever the answer; being logged in already is success.
    func login(_ user: UInt, _ pin: PIN) throws(Refusal) -> Bool {
        let code = unsafe pin.withBytes { bytes in
            unsafe shirushi_login(functions.list, session, user, bytes.baseAddress, UInt(bytes.count))
        }
        if code == CKR_USER_ALREADY_LOGGED_IN { return false }
        try accept("C_Login", code)
        return true
    }

    func logout() { _ = unsafe shirushi_logout(functions.list, session) }

    func generateKey(_ mechanism: UInt, _ template: [Attribute]) throws(Refusal) -> UInt {
        try made("C_GenerateKey") { key in
            unsafe template.lend {
                unsafe shirushi_probe_generate_key(functions.list, session, mechanism, $0, $1, &key)
            }
        }
    }

    func generatePair(
        _ mechanism: UInt, _ publicTemplate: [Attribute], _ privateTemplate: [Attribute]
    ) throws(Refusal) -> (publicKey: UInt, privateKey: UInt) {
        var publicKey = UInt()
        let privateKey = try made("C_GenerateKeyPair") { key in
            unsafe publicTemplate.lend { publicStart, publicCount in
                unsafe privateTemplate.lend { privateStart, privateCount in
                    unsafe shirushi_generate_key_pair(
                        functions.list, session, mechanism, publicStart, publicCount, privateStart, privateCount,
                        &publicKey, &key)
                }
            }
        }
        return (publicKey, privateKey)
    }

    func create(_ template: [Attribute]) throws(Refusal) -> UInt {
        try made("C_CreateObject") { object in
            unsafe template.lend { unsafe shirushi_probe_create_object(functions.list, session, $0, $1, &object) }
        }
    }

    func copy(_ object: UInt, _ template: [Attribute]) throws(Refusal) -> UInt {
        try made("C_CopyObject") { copy in
            unsafe template.lend { unsafe shirushi_probe_copy_object(functions.list, session, object, $0, $1, &copy) }
        }
    }

    func set(_ object: UInt, _ template: [Attribute]) throws(Refusal) {
        try accept(
            "C_SetAttributeValue",
            unsafe template.lend {
                unsafe shirushi_probe_set_attribute_value(functions.list, session, object, $0, $1)
            })
    }

    /// The value of one attribute, with which the module may answer, refuse, or say that it has none.
    func value(_ type: UInt, of object: UInt) throws(Refusal) -> [UInt8] {
        var template = Template()
        template.ask(for: type, capacity: 4096)
        let code = unsafe template.lend {
            unsafe shirushi_get_attribute_value(functions.list, session, object, $0, $1)
        }
        try accept("C_GetAttributeValue", code)
        return template.values[type] ?? []
    }

    /// A yes-or-no attribute; nil where the module does not tell.
    func flag(_ type: UInt, of object: UInt) -> Bool? {
        guard let value = try? value(type, of: object), value.count == 1 else { return nil }
        return value[0] != 0
    }

    func wrap(_ mechanism: UInt, by wrappingKey: UInt, _ key: UInt) throws(Refusal) -> [UInt8] {
        try unsafe filled("C_WrapKey", capacity: 8192) { start, length in
            unsafe shirushi_probe_wrap_key(functions.list, session, mechanism, wrappingKey, key, start, &length)
        }
    }

    func unwrap(
        _ mechanism: UInt, by wrappingKey: UInt, _ wrapped: [UInt8], _ template: [Attribute]
    ) throws(Refusal) -> UInt {
        try made("C_UnwrapKey") { key in
            unsafe template.lend {
                unsafe shirushi_probe_unwrap_key(
                    functions.list, session, mechanism, wrappingKey, wrapped, UInt(wrapped.count), $0, $1, &key)
            }
        }
    }

    func derive(_ mechanism: UInt, from base: UInt, _ template: [Attribute]) throws(Refusal) -> UInt {
        try made("C_DeriveKey") { key in
            unsafe template.lend {
                unsafe shirushi_probe_derive_key(functions.list, session, mechanism, base, $0, $1, &key)
            }
        }
    }

    func encrypt(_ mechanism: UInt, with key: UInt, _ input: [UInt8]) throws(Refusal) -> [UInt8] {
        try accept("C_EncryptInit", unsafe shirushi_probe_encrypt_init(functions.list, session, mechanism, key))
        return try unsafe filled("C_Encrypt", capacity: 8192) { start, length in
            unsafe shirushi_probe_encrypt(functions.list, session, input, UInt(input.count), start, &length)
        }
    }

    func decrypt(_ mechanism: UInt, with key: UInt, _ input: [UInt8]) throws(Refusal) -> [UInt8] {
        try accept("C_DecryptInit", unsafe shirushi_probe_decrypt_init(functions.list, session, mechanism, key))
        return try unsafe filled("C_Decrypt", capacity: 8192) { start, length in
            unsafe shirushi_probe_decrypt(functions.list, session, input, UInt(input.count), start, &length)
        }
    }

    func sign(_ mechanism: UInt, with key: UInt, _ input: [UInt8]) throws(Refusal) -> [UInt8] {
        try accept("C_SignInit", unsafe shirushi_probe_sign_init(functions.list, session, mechanism, key))
        return try unsafe filled("C_Sign", capacity: 1024) { start, length in
            unsafe shirushi_sign(functions.list, session, input, UInt(input.count), start, &length)
        }
    }

    func random(_ count: Int) throws(Refusal) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try accept(
            "C_GenerateRandom", unsafe shirushi_generate_random(functions.list, session, &bytes, UInt(count)))
        return bytes
    }

    func destroy(_ object: UInt) { _ = unsafe shirushi_destroy_object(functions.list, session, object) }

    /// The first object that matches `template`.
    func find(_ template: [Attribute]) throws(Refusal) -> UInt? {
        try accept(
            "C_FindObjectsInit",
            unsafe template.lend { unsafe shirushi_find_objects_init(functions.list, session, $0, $1) })
        defer { _ = unsafe shirushi_find_objects_final(functions.list, session) }
        var object = UInt()
        var count: UInt = 0
        try accept("C_FindObjects", unsafe shirushi_find_objects(functions.list, session, &object, 1, &count))
        return count == 0 ? nil : object
    }

    private func made(_ function: String, _ call: (inout UInt) -> UInt) throws(Refusal) -> UInt {
        var object = UInt()
        try accept(function, call(&object))
        return object
    }

    private func filled(
        _ function: String, capacity: Int, _ call: (UnsafeMutablePointer<UInt8>?, inout UInt) -> UInt
    ) throws(Refusal) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: capacity)
        var length = UInt(capacity)
        try accept(function, unsafe bytes.withUnsafeMutableBufferPointer { unsafe call($0.baseAddress, &length) })
        return Array(bytes.prefix(Int(clamping: length)))
    }
}

/// Throws what the module answered unless it is `CKR_OK`.
private func accept(_ function: String, _ code: UInt) throws(Refusal) {
    guard code == CKR_OK else { throw Refusal(fault: PKCS11Fault(function: function, code: code)) }
}

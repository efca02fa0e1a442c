import CPKCS11
package import HPKI

/// One session with a token: an actor on one operating system thread, where all its blocking calls run.
///
/// A session lost to a removed device or an ended login stays lost until `reopen`; a `SessionPool` does that itself.
package actor PKCS11Session {
    nonisolated let thread: ThreadExecutor
    nonisolated let functions: Functions
    let token: PKCS11Token
    private let isWritable: Bool
    private var session: CK_SESSION_HANDLE?
    // The module's generation in which the session was opened; in the next one its number may be another session's.
    private var generation = 0
    // An object could not be destroyed: the next use finds the session lost, and closing it destroys the object.
    private var spoiledBy: PKCS11Fault?
    /// How often a session was opened: an object of an earlier one is gone.
    private(set) var openings = 0
    // Long enough for RSA with 8192 bits; kept so that signing allocates nothing but its answer.
    private var signature = [UInt8](repeating: 0, count: 1024)

    /// How often `C_Sign` was called, so that nothing is repeated after a key was used.
    private(set) var signaturesStarted: UInt = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    init(token: PKCS11Token, isWritable: Bool) {
        self.token = token
        self.isWritable = isWritable
        functions = token.module.functions
        thread = ThreadExecutor(name: "pkcs11-session", gate: token.module.gate)
    }

    deinit {
        // Whoever lets go of the session last must not wait for the module. The token keeps the module loaded.
        guard let session else { return }
        thread.perform { [functions, token, generation] in
            guard generation == token.module.gate.generation else { return }
            _ = unsafe shirushi_close_session(functions.list, session)
        }
    }

    func open() throws(PKCS11Error) {
        var opened = CK_SESSION_HANDLE()
        try check("C_OpenSession", functions.openSession(try token.slot(), isWritable: isWritable, &opened))
        session = opened
        generation = token.module.gate.generation
        spoiledBy = nil
        openings += 1
    }

    /// Logs the user in, which holds for every session of this process with the token (PKCS#11 v2.40 §5.6).
    ///
    /// Already being logged in is success. Throws `pinIncorrect` or `pinLocked` after one try; nothing here tries again.
    package func login(_ pin: PIN) throws(PKCS11Error) { try login(pin, as: CKU_USER) }

    func login(_ pin: PIN, as user: CK_USER_TYPE) throws(PKCS11Error) {
        let session = try handle()
        if let refusal = token.refusal(of: pin) { throw refusal }
        let code = unsafe pin.withBytes { bytes in
            unsafe shirushi_login(functions.list, session, user, bytes.baseAddress, UInt(bytes.count))
        }
        if code == CKR_USER_ALREADY_LOGGED_IN { return }
        do throws(PKCS11Error) { try check("C_Login", code) } catch {
            if error == .pinIncorrect || error == .pinLocked { token.noteRefusal(of: pin, error) }
            throw error
        }
        token.noteLogin()
    }

    func logout() {
        guard let session = try? handle() else { return }
        _ = unsafe shirushi_logout(functions.list, session)
    }

    /// Replaces a lost session by a new one and logs in.
    func reopen(_ pin: PIN) throws(PKCS11Error) {
        let lost = generation == token.module.gate.generation ? session : nil
        // The old one is closed last: with the last open session of a process the login and all handles end.
        try open()
        if let lost { _ = unsafe shirushi_close_session(functions.list, lost) }
        try login(pin)
    }

    /// Closes the session; every later call throws `closed`.
    package func close() {
        guard let session else { return }
        if generation == token.module.gate.generation { _ = unsafe shirushi_close_session(functions.list, session) }
        self.session = nil
    }

    /// Signs `digest` with `key`: one `C_SignInit` and one `C_Sign`.
    ///
    /// For RSA the answer is as long as the modulus; for ECDSA it is r ‖ s, each as long
    /// as the curve's order. The caller verifies it: a module may err. After an error, `keyMayHaveBeenUsed` tells
    /// whether `C_Sign` had begun.
    package func sign(
        _ digest: Digest, with key: KeyHandle, by mechanism: SignatureMechanism
    ) throws(PKCS11Error) -> [UInt8] {
        guard key.login == token.login else { throw .keyMissing }
        let session = try handle()
        let input = mechanism.input(for: digest)
        try check("C_SignInit", mechanism.initialize(functions, session, digest, key.object))
        signaturesStarted += 1
        var length = UInt(signature.count)
        let code = unsafe signature.withUnsafeMutableBufferPointer { buffer in
            unsafe shirushi_sign(functions.list, session, input, UInt(input.count), buffer.baseAddress, &length)
        }
        // Everything that C_Sign answers counts as a use of the key, an invalid handle too.
        if case .keyMissing? = code == CKR_OK ? nil : ReturnValue.error("C_Sign", code) {
            throw .deviceFailed(PKCS11Fault(function: "C_Sign", code: code))
        }
        try check("C_Sign", code)
        guard length > 0, length <= signature.count else { throw .malformedAnswer("C_Sign: \(length) bytes") }
        return Array(signature.prefix(Int(length)))
    }

    /// Bytes from the token's random number generator.
    package func random(count: Int) throws(PKCS11Error) -> [UInt8] {
        let session = try handle()
        guard count > 0, count <= 1 << 20 else { throw ReturnValue.error("C_GenerateRandom", CKR_DATA_LEN_RANGE) }
        var bytes = [UInt8](repeating: 0, count: count)
        try check("C_GenerateRandom", unsafe shirushi_generate_random(functions.list, session, &bytes, UInt(count)))
        return bytes
    }

    func handle() throws(PKCS11Error) -> CK_SESSION_HANDLE {
        guard let session else { throw .closed }
        if let spoiledBy { throw .sessionLost(spoiledBy) }
        guard generation == token.module.gate.generation else {
            throw .sessionLost(PKCS11Fault(function: "C_Finalize", code: CKR_SESSION_CLOSED))
        }
        return session
    }

    /// Whether the module still knows the session, asked after a failure that does not tell.
    func isAnswering() -> Bool {
        guard let session = try? handle() else { return false }
        var info = CK_SESSION_INFO()
        return unsafe shirushi_get_session_info(functions.list, session, &info) == CKR_OK
    }

    /// Destroys a session object of ours; where that fails the session is given up, which destroys it too.
    func discard(_ object: CK_OBJECT_HANDLE) {
        guard let session = try? handle() else { return }
        let code = unsafe shirushi_destroy_object(functions.list, session, object)
        if code != CKR_OK { spoiledBy = PKCS11Fault(function: "C_DestroyObject", code: code) }
    }

    /// The same for an object made when the session had been opened `opening` times; of an earlier one none is left.
    func discard(_ object: CK_OBJECT_HANDLE, from opening: Int) {
        if opening == openings { discard(object) }
    }
}

/// A key's handle, good in every session with its token in this process until the token's login ends.
///
/// Handles of token objects belong to the process, not to a session (PKCS#11 v2.40 §4.1 and §5.6): found once, one
/// serves all sessions. A handle that outlived its login is refused with `keyMissing` before the module sees it.
package struct KeyHandle: Sendable, Hashable {
    let object: CK_OBJECT_HANDLE
    let login: Int
}

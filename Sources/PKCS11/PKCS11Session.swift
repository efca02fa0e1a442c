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
    // Long enough for RSA with 8192 bits; kept so that signing allocates nothing but its answer.
    private var signature = [UInt8](repeating: 0, count: 1024)

    /// How often `C_Sign` was called, so that nothing is repeated after a key was used.
    private(set) var signaturesStarted: UInt = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    init(token: PKCS11Token, isWritable: Bool) {
        self.token = token
        self.isWritable = isWritable
        functions = token.module.functions
        thread = ThreadExecutor(name: "pkcs11-session")
    }

    deinit {
        // Whoever lets go of the session last must not wait for the module. The token keeps the module loaded.
        guard let session else { return }
        thread.perform { [functions, token] in
            withExtendedLifetime(token) { _ = unsafe shirushi_close_session(functions.list, session) }
        }
    }

    func open() throws(PKCS11Error) {
        var opened = CK_SESSION_HANDLE()
        try check("C_OpenSession", functions.openSession(token.slot, isWritable: isWritable, &opened))
        session = opened
    }

    /// Logs the user in, which holds for every session of this process with the token (PKCS#11 v2.40 §5.6).
    ///
    /// Already being logged in is success. Throws `pinIncorrect` or `pinLocked` after one try; nothing here tries again.
    package func login(_ pin: PIN) throws(PKCS11Error) {
        let session = try handle()
        let code = unsafe pin.withBytes { bytes in
            unsafe shirushi_login(functions.list, session, CKU_USER, bytes.baseAddress, UInt(bytes.count))
        }
        if code == CKR_USER_ALREADY_LOGGED_IN { return }
        try check("C_Login", code)
        token.noteLogin()
    }

    /// Replaces a lost session by a new one and logs in.
    func reopen(_ pin: PIN) throws(PKCS11Error) {
        let lost = session
        // The old one is closed last: with the last open session of a process the login and all handles end.
        try open()
        if let lost { _ = unsafe shirushi_close_session(functions.list, lost) }
        try login(pin)
    }

    /// Closes the session; every later call throws `closed`.
    package func close() {
        guard let session else { return }
        _ = unsafe shirushi_close_session(functions.list, session)
        self.session = nil
    }

    /// Signs `digest` with `key`: one `C_SignInit` and one `C_Sign`.
    ///
    /// For RSA the answer is the PKCS#1 v1.5 signature, as long as the modulus; for ECDSA it is r ‖ s, each as long
    /// as the curve's order. The caller verifies it: a module may err. After an error, `keyMayHaveBeenUsed` tells
    /// whether `C_Sign` had begun.
    package func sign(
        _ digest: Digest, with key: KeyHandle, by mechanism: SignatureMechanism
    ) throws(PKCS11Error) -> [UInt8] {
        guard key.login == token.login else { throw .keyMissing }
        let session = try handle()
        let input = mechanism.input(for: digest)
        try check("C_SignInit", unsafe shirushi_sign_init(functions.list, session, mechanism.number, key.object))
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
        return session
    }
}

/// How a key signs a digest.
package enum SignatureMechanism: Sendable, Hashable {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2): the DigestInfo is put before the digest here, the token pads and signs.
    case rsaPKCS1
    /// RSASSA-PSS over the digest (RFC 8017 §8.1), with MGF1 on the same hash function and a salt as long as the digest.
    case rsaPSS
    /// ECDSA over the digest as it is, giving r ‖ s (PKCS#11 v2.40 §2.3.1).
    case ecdsa

    var number: UInt {
        switch self {
        case .rsaPKCS1: CKM_RSA_PKCS
        case .rsaPSS: CKM_RSA_PKCS_PSS
        case .ecdsa: CKM_ECDSA
        }
    }

    func input(for digest: Digest) -> [UInt8] {
        switch self {
        case .rsaPKCS1: digestInfo(of: digest.algorithm) + digest.bytes
        case .rsaPSS, .ecdsa: digest.bytes
        }
    }

    /// What stands before the digest in a DigestInfo (RFC 8017 §9.2, note 1).
    private func digestInfo(of algorithm: DigestAlgorithm) -> [UInt8] {
        let (arc, length): (UInt8, UInt8) =
            switch algorithm {
            case .sha256: (1, 32)
            case .sha384: (2, 48)
            case .sha512: (3, 64)
            }
        return [
            0x30, 17 + length, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc,
            0x05, 0x00, 0x04, length,
        ]
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

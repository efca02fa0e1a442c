import CPKCS11
internal import Glibc

/// A PKCS#11 module in this process: loaded and initialised once, finalised last.
///
/// What a module reads from the environment, such as `SOFTHSM2_CONF`, must be there before `load`. One process
/// alone may use a SoftHSM token: several lose sessions and fail to make keys.
package actor PKCS11Module {
    private nonisolated let thread: ThreadExecutor
    let functions: Functions
    // The module's own thread stays outside, since it is the one that closes the gate.
    let gate = ModuleGate()
    private let arguments: String?
    private var isInitialized = false
    // INVARIANT: one object per token, so that all sessions with it share one count of logins.
    private var tokens: [PKCS11Token] = []

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    /// Loads the shared library at `path` and calls `C_Initialize` (PKCS#11 v2.40 §5.4).
    ///
    /// `initializeArguments` is passed as pReserved, which is how NSS takes its LibraryParameters; other modules want
    /// none. From here on the process ignores SIGPIPE. The library stays loaded until the process ends. Throws `loadFailed` and what `C_Initialize` answers; a
    /// module that this process has initialised before is refused, because its owner would finalise it.
    package static func load(
        path: String, initializeArguments: String? = nil
    ) async throws(PKCS11Error) -> PKCS11Module {
        // A module that is the client of a server writes to the socket of one that has ended: it must get an error.
        _ = signal(SIGPIPE, SIG_IGN)
        let module = try PKCS11Module(path: path, arguments: initializeArguments)
        try await module.initialize()
        return module
    }

    private init(path: String, arguments: String?) throws(PKCS11Error) {
        self.arguments = arguments
        functions = try Functions(path: path)
        thread = ThreadExecutor(name: "pkcs11")
    }

    private func initialize() throws(PKCS11Error) {
        try check("C_Initialize", functions.initialize(arguments))
        isInitialized = true
    }

    /// Calls `C_Finalize`: after the last session is closed, and at most once.
    ///
    /// A call that still hangs is waited for two seconds; after that the module is left as it is.
    package func finalize() {
        guard isInitialized else { return }
        let done: Void? = gate.withNobodyInside(within: .seconds(2)) {
            gate.advance()
            _ = functions.finalize()
        }
        if done != nil { isInitialized = false }
    }

    /// Finalises and initialises the module, and looks for its tokens by label and serial; then `done` is told.
    ///
    /// Nobody is inside the module meanwhile. All sessions and handles are void afterwards, those of other pools too;
    /// if that has happened since `generation`, nothing is done. A call that has not returned within `patience` prevents
    /// it: `hung`, and all stays as it was.
    nonisolated func renew(
        from generation: Int, patience: Duration, _ done: @escaping @Sendable (PKCS11Error?) -> Void
    ) {
        thread.perform { [self] in
            done(
                assumeIsolated { module in
                    do throws(PKCS11Error) {
                        try module.renew(from: generation, patience: patience)
                        return nil
                    } catch { return error }
                })
        }
    }

    private func renew(from generation: Int, patience: Duration) throws(PKCS11Error) {
        guard gate.generation == generation else { return }
        let outcome = gate.withNobodyInside(within: patience) { () -> Result<Void, PKCS11Error> in
            do throws(PKCS11Error) { return .success(try reinitialize()) } catch { return .failure(error) }
        }
        guard let outcome else { throw .hung }
        try outcome.get()
    }

    private func reinitialize() throws(PKCS11Error) {
        if isInitialized {
            for token in tokens {
                if let slot = try? token.slot() { _ = unsafe shirushi_close_all_sessions(functions.list, slot) }
            }
        }
        // A module whose device is gone may fail here and is of no use otherwise.
        _ = functions.finalize()
        isInitialized = false
        gate.advance()
        for token in tokens {
            token.noteLogin()
            token.move(to: nil)
        }
        try initialize()
        let slots = try slots().filter(\.isInitialized)
        for token in tokens {
            let matches = slots.filter { $0.label == token.label && $0.serial == token.serial }
            // Two tokens of one name and serial: the PIN must not reach the wrong one.
            if matches.count == 1 { token.move(to: matches.first?.slot) }
        }
    }

    /// Who made the module and which version it is.
    package func info() throws(PKCS11Error) -> ModuleInfo {
        var info = CK_INFO()
        try check("C_GetInfo", unsafe shirushi_get_info(functions.list, &info))
        return ModuleInfo(
            manufacturer: text(of: info.manufacturerID),
            library: text(of: info.libraryDescription),
            version: "\(info.libraryVersion.major).\(info.libraryVersion.minor)"
        )
    }

    /// The slots that hold a token, initialised or not.
    package func slots() throws(PKCS11Error) -> [SlotInfo] {
        var found: [SlotInfo] = []
        for slot in try slotNumbers() {
            var info = CK_TOKEN_INFO()
            let code = unsafe shirushi_get_token_info(functions.list, slot, &info)
            // One reader without its card does not hide the others.
            if case .tokenGone? = code == CKR_OK ? nil : ReturnValue.error("C_GetTokenInfo", code) { continue }
            try check("C_GetTokenInfo", code)
            found.append(
                SlotInfo(
                    slot: slot,
                    label: text(of: info.label),
                    serial: text(of: info.serialNumber),
                    manufacturer: text(of: info.manufacturerID),
                    isInitialized: info.flags & CKF_TOKEN_INITIALIZED != 0,
                    isPINLocked: info.flags & CKF_USER_PIN_LOCKED != 0,
                    isPINNearlyLocked: info.flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY) != 0
                )
            )
        }
        return found
    }

    /// The one initialised token labelled `label`, whichever slot it is in.
    package func token(label: String) throws(PKCS11Error) -> PKCS11Token {
        let matches = try slots().filter { $0.isInitialized && $0.label == label }
        guard let match = matches.first else {
            throw .tokenNotFound(label: label, others: try slots().filter(\.isInitialized).map(\.label))
        }
        guard matches.count == 1 else { throw .tokenAmbiguous(label: label) }
        if let known = tokens.first(where: { $0.label == label && $0.serial == match.serial }) {
            known.move(to: match.slot)
            return known
        }
        let token = PKCS11Token(
            module: self, slot: match.slot, label: label, serial: match.serial, manufacturer: match.manufacturer
        )
        tokens.append(token)
        return token
    }

    /// The `CKM_` numbers that the token offers, without its vendor's promise that they work.
    package func mechanisms(of token: PKCS11Token) throws(PKCS11Error) -> Set<UInt> {
        var list: [UInt] = []
        let slot = try token.slot()
        try unsafe functions.fill("C_GetMechanismList", &list) { functions, start, count in
            unsafe shirushi_get_mechanism_list(functions, slot, start, count)
        }
        return Set(list)
    }

    /// Initialises the first token that is not yet, labels it, and sets its user's PIN.
    ///
    /// Throws `tokenExists` for a label in use and `noBlankToken` where every token is initialised; an initialised
    /// token is never overwritten.
    package func initializeToken(
        label: String, securityOfficerPIN: PIN, userPIN: PIN
    ) throws(PKCS11Error) -> PKCS11Token {
        let slots = try slots()
        guard !slots.contains(where: { $0.isInitialized && $0.label == label }) else {
            throw .tokenExists(label: label)
        }
        guard let empty = slots.first(where: { !$0.isInitialized }) else { throw .noBlankToken }
        // A label is 32 bytes, padded with blanks (PKCS#11 v2.40 §5.5, C_InitToken).
        guard label.utf8.count <= 32, !label.isEmpty else {
            throw ReturnValue.error("C_InitToken", CKR_ARGUMENTS_BAD)
        }
        let padded = Array(label.utf8) + [UInt8](repeating: 0x20, count: 32 - label.utf8.count)
        let code = unsafe securityOfficerPIN.withBytes { pin in
            unsafe shirushi_init_token(functions.list, empty.slot, pin.baseAddress, UInt(pin.count), padded)
        }
        try check("C_InitToken", code)
        // Initialising may move the token to another slot, so it is looked for by its label.
        let token = try token(label: label)
        try setPIN(of: token, securityOfficerPIN: securityOfficerPIN, userPIN: userPIN)
        return token
    }

    private func setPIN(of token: PKCS11Token, securityOfficerPIN: PIN, userPIN: PIN) throws(PKCS11Error) {
        var session = CK_SESSION_HANDLE()
        try check("C_OpenSession", functions.openSession(try token.slot(), isWritable: true, &session))
        defer { _ = unsafe shirushi_close_session(functions.list, session) }
        let login = unsafe securityOfficerPIN.withBytes { pin in
            unsafe shirushi_login(functions.list, session, CKU_SO, pin.baseAddress, UInt(pin.count))
        }
        try check("C_Login", login)
        defer { _ = unsafe shirushi_logout(functions.list, session) }
        let set = unsafe userPIN.withBytes { pin in
            unsafe shirushi_init_pin(functions.list, session, pin.baseAddress, UInt(pin.count))
        }
        try check("C_InitPIN", set)
    }

    private func slotNumbers() throws(PKCS11Error) -> [UInt] {
        var list: [UInt] = []
        try unsafe functions.fill("C_GetSlotList", &list) { functions, start, count in
            unsafe shirushi_get_slot_list(functions, start, count)
        }
        return list
    }
}

/// Who made a module (PKCS#11 v2.40 §3.1, CK_INFO).
package struct ModuleInfo: Sendable, Hashable {
    package let manufacturer: String
    package let library: String
    /// Major and minor version of the library, such as `2.6`.
    package let version: String
}

/// A slot with a token in it (PKCS#11 v2.40 §3.2, CK_TOKEN_INFO).
package struct SlotInfo: Sendable, Hashable {
    /// The slot's number, which may be another at the next start: never store it.
    package let slot: UInt
    /// The token's label without its padding.
    package let label: String
    package let serial: String
    /// Who made the token; a module that stands before another one passes this on.
    package let manufacturer: String
    package let isInitialized: Bool
    package let isPINLocked: Bool
    /// Wrong PINs have been given; a few more, or one more, lock the user's PIN.
    package let isPINNearlyLocked: Bool
}

/// The text of a fixed field of bytes: UTF-8, padded with blanks.
private func text<Field>(of field: Field) -> String {
    unsafe withUnsafeBytes(of: field) { bytes in
        var content = unsafe bytes[...]
        while let last = unsafe content.last, last == 0x20 || last == 0 { unsafe content.removeLast() }
        return unsafe String(decoding: content, as: UTF8.self)
    }
}

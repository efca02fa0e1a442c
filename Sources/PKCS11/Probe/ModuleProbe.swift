import CPKCS11
package import HPKI

/// Finds out what a PKCS#11 module does, by asking it, and whether custody of holders' keys is safe on it.
package enum ModuleProbe {
    /// Probes the token labelled `label` of the module at `path`; every object made there is destroyed again.
    ///
    /// Made for a scratch token: it logs the user and the officer in and out, and makes and destroys objects of the
    /// token. Without `officerPIN` no wrapping key can be made and wrapped custody is not allowed. A module that this
    /// process has initialised is probed as it is; another is finalised at the end. `initializeArguments` goes to
    /// `C_Initialize` for modules that read a text there; `keyTypes` are the pairs to be made and timed. Throws where
    /// the token cannot be reached or refuses a PIN, which is given once.
    package static func run(
        path: String, label: String, pin: PIN, officerPIN: PIN? = nil, initializeArguments: String? = nil,
        keyTypes: [KeyType] = KeyType.allCases
    ) async throws(PKCS11Error) -> ProbeReport {
        let functions = try Functions(path: path)
        return try await onThread { () throws(PKCS11Error) -> ProbeReport in
            let code = functions.initialize(initializeArguments)
            let isOurs = code != CKR_CRYPTOKI_ALREADY_INITIALIZED
            if isOurs { try check("C_Initialize", code) }
            defer { if isOurs { _ = functions.finalize() } }
            return try TokenProbe(functions: functions, label: label, keyTypes: keyTypes).run(
                pin: pin, officerPIN: officerPIN)
        }
    }

    /// Attacks a wrapping key that exists, with the rights of the user and in session objects alone.
    ///
    /// For the start of core: some fifty calls, of which one makes a pair on P-256. The wrapping key stays as it is on
    /// a module that refuses; a flag that a faulty module lets be set is put back. Throws `keyMissing` where no secret
    /// key has the CKA_ID `wrappingKeyID`, and what the honest path throws; wrapped custody is safe only if every
    /// attack is `refused`.
    package static func attacks(
        on token: PKCS11Token, pin: PIN, wrappingKeyID: [UInt8]
    ) async throws(PKCS11Error) -> [ProbeReport.Attack] {
        let functions = token.module.functions
        let slot = try token.slot()
        return try await onThread { () throws(PKCS11Error) -> [ProbeReport.Attack] in
            do throws(Refusal) {
                let session = try BareSession.open(functions, slot: slot)
                defer { session.close() }
                if try session.login(CKU_USER, pin) { token.noteLogin() }
                let secret = [Attribute(CKA_CLASS, CKO_SECRET_KEY), Attribute(CKA_ID, wrappingKeyID)]
                guard let wrappingKey = try session.find(secret) else {
                    throw Refusal(fault: PKCS11Fault(function: "C_FindObjects", code: CKR_KEY_HANDLE_INVALID))
                }
                var steps: [ProbeReport.Step] = []
                // Nothing is signed: a running core signs nothing without a record.
                let key = WrappedKey.make(
                    .p256, session, wrappingKey: wrappingKey, isToSign: false, steps: &steps)
                defer { key?.destroy(in: session) }
                // A step that is not possible is as dangerous as an attack that succeeds.
                let missing = steps.compactMap { step in
                    step.obstacle.map {
                        ProbeReport.Attack(custody: .wrapped, name: step.name, result: .notTried($0))
                    }
                }
                guard let key else { return missing }
                return missing
                    + WrappedAttacks(
                        attacker: Attacker(session: session), wrappingKey: wrappingKey, key: key, isScratch: false
                    ).all()
            } catch {
                throw ReturnValue.error(error.fault.function, error.fault.code)
            }
        }
    }

    /// Runs blocking calls on an operating system thread of their own.
    private static func onThread<Value: Sendable>(
        _ body: @escaping @Sendable () throws(PKCS11Error) -> Value
    ) async throws(PKCS11Error) -> Value {
        let thread = ThreadExecutor(name: "pkcs11-probe")
        let result: Result<Value, PKCS11Error> = await withCheckedContinuation { continuation in
            thread.perform {
                do throws(PKCS11Error) { continuation.resume(returning: .success(try body())) } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }
}

import CPKCS11

/// What went wrong at a PKCS#11 module, by what a caller can do about it.
///
/// No case carries a PIN, key material or the bytes that were to be signed.
package enum PKCS11Error: Error, Sendable, Hashable {
    /// The library cannot be loaded or is no PKCS#11 module; the text is the loader's.
    case loadFailed(String)
    /// No token bears the label; these do exist.
    case tokenNotFound(label: String, others: [String])
    /// Every slot that holds a token holds an initialised one.
    case noBlankToken
    /// More than one token bears the label.
    case tokenAmbiguous(label: String)
    /// A token to be initialised exists already.
    case tokenExists(label: String)
    /// The token or its device is not there now; it may come back.
    case tokenGone(PKCS11Fault)
    /// The PIN is wrong: never tried again by this module, since a few more tries lock the token.
    case pinIncorrect
    /// The PIN is locked: only the security officer can help.
    case pinLocked
    /// The session or its login ended; a `SessionPool` opens another by itself.
    case sessionLost(PKCS11Fault)
    /// The module has no more sessions to give.
    case tooManySessions(PKCS11Fault)
    /// The key's handle is unknown, or was found under a login that has ended: find the key again.
    case keyMissing
    /// The module does not know the mechanism, or not for this key.
    case mechanismMissing(PKCS11Fault)
    /// The module forbids this: an attribute, a template, a right of the key, a value's length.
    case refused(PKCS11Fault)
    /// The module did not unwrap the key: the blob was altered, belongs to another wrapping key, or is no such key.
    case wrappedKeyRefused(PKCS11Fault)
    /// The module failed.
    case deviceFailed(PKCS11Fault)
    /// The module said yes and answered nonsense; the text says what, never the value.
    case malformedAnswer(String)
    /// A new key came out other than it must be, such as readable or extractable, and was destroyed at once.
    case weakKey
    /// No session became free in time, or too many callers wait already: nothing was started.
    case busy
    /// A call has outlived the limit, and its outcome is unknown: only a new process helps.
    case hung
    /// The pool, the session or the module was closed.
    case closed

    /// Whether a signature may have been made although none was delivered.
    ///
    /// False only where that is certain, so that the log can say "not signed" and be right.
    package var keyMayHaveBeenUsed: Bool {
        switch self {
        case .hung, .malformedAnswer: true
        case .tokenGone(let fault), .sessionLost(let fault), .deviceFailed(let fault), .refused(let fault),
            .mechanismMissing(let fault), .tooManySessions(let fault):
            fault.function == "C_Sign"
        case .loadFailed, .tokenNotFound, .noBlankToken, .tokenAmbiguous, .tokenExists, .pinIncorrect, .pinLocked,
            .keyMissing,
            .wrappedKeyRefused, .weakKey, .busy, .closed:
            false
        }
    }

    /// Whether the module may be beyond help without being initialised anew, for all that the code tells.
    var isDeviceFailure: Bool {
        guard case .deviceFailed(let fault) = self else { return false }
        // What C_Sign answers may be about the key.
        return fault.function != "C_Sign"
            && [CKR_DEVICE_ERROR, CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED].contains(fault.code)
    }

    /// Whether another session could succeed where this one failed.
    var isLoss: Bool {
        switch self {
        case .sessionLost, .tokenGone: true
        default: false
        }
    }
}

/// The function of a module that failed, and what it answered.
package struct PKCS11Fault: Sendable, Hashable, CustomStringConvertible {
    /// Such as `C_SignInit`.
    package let function: String
    /// The `CK_RV` that it returned.
    package let code: UInt

    /// The code's name as PKCS#11 spells it, or its number where it has none.
    package var name: String { ReturnValue.name(of: code) }

    package var description: String { "\(function): \(name)" }
}

extension PKCS11Error: CustomStringConvertible {
    package var description: String {
        switch self {
        case .loadFailed(let reason): "the PKCS#11 module cannot be loaded: \(reason)"
        case .tokenNotFound(let label, let others):
            "no token is labelled \(label); the module shows "
                + (others.isEmpty ? "none that is initialised" : others.joined(separator: ", "))
        case .noBlankToken: "no slot has a token that is still to be initialised; make a free slot, or reset a token"
        case .tokenAmbiguous(let label): "more than one token is labelled \(label)"
        case .tokenExists(let label): "a token labelled \(label) exists already"
        case .tokenGone(let fault): "the token is not there (\(fault))"
        case .pinIncorrect: "the token refused the PIN (CKR_PIN_INCORRECT); it is not tried again"
        case .pinLocked: "the token's PIN is locked (CKR_PIN_LOCKED)"
        case .sessionLost(let fault): "the session with the token ended (\(fault))"
        case .tooManySessions(let fault): "the token gives no more sessions (\(fault))"
        case .keyMissing: "the key is not in the token or was found under an earlier login"
        case .mechanismMissing(let fault): "the module does not offer the mechanism (\(fault))"
        case .refused(let fault): "the module refused (\(fault))"
        case .wrappedKeyRefused(let fault): "the wrapped key is not one of this wrapping key (\(fault))"
        case .deviceFailed(let fault): "the module failed (\(fault))"
        case .malformedAnswer(let what): "the module answered nonsense: \(what)"
        case .weakKey: "a new key was readable, extractable or good for too much, and has been destroyed"
        case .busy: "no session with the token became free in time"
        case .hung: "a call of the module does not return; its outcome is unknown"
        case .closed: "the session with the token is closed"
        }
    }
}

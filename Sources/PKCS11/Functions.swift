import CPKCS11

/// The function list of a loaded module, which is constant and lives as long as the process.
@safe struct Functions: @unchecked Sendable {
    // Not Sendable by the compiler's reckoning only because it is a pointer; nobody writes through it, and the
    // module locks for itself (CKF_OS_LOCKING_OK).
    let list: UnsafeMutablePointer<CK_FUNCTION_LIST>

    init(path: String) throws(PKCS11Error) {
        var list: ShirushiFunctions?
        if let reason = unsafe shirushi_load(path, &list) { throw .loadFailed(unsafe String(cString: reason)) }
        guard let list = unsafe list else { throw .loadFailed("no function list") }
        unsafe self.list = list
    }

    func initialize(_ arguments: String?) -> UInt {
        guard let arguments else { return unsafe shirushi_initialize(list, nil) }
        return unsafe shirushi_initialize(list, arguments)
    }

    func finalize() -> UInt { unsafe shirushi_finalize(list) }

    func openSession(_ slot: UInt, isWritable: Bool, _ session: inout CK_SESSION_HANDLE) -> UInt {
        let flags = isWritable ? CKF_SERIAL_SESSION | CKF_RW_SESSION : CKF_SERIAL_SESSION
        return unsafe shirushi_open_session(list, slot, CK_FLAGS(flags), &session)
    }

    /// Reads a list that the module counts first and then copies (PKCS#11 v2.40 §5.2).
    func fill(
        _ function: String, _ list: inout [UInt],
        _ call: (UnsafeMutablePointer<CK_FUNCTION_LIST>, UnsafeMutablePointer<UInt>?, UnsafeMutablePointer<UInt>) ->
            UInt
    ) throws(PKCS11Error) {
        // The list may grow between counting and copying; a module that never settles is broken.
        for _ in 0..<8 {
            var count: UInt = 0
            try check(function, unsafe call(self.list, nil, &count))
            guard count <= 65_536 else { throw .malformedAnswer("\(function) counts \(count) entries") }
            guard count > 0 else {
                list = []
                return
            }
            var entries = [UInt](repeating: 0, count: Int(count))
            let code = unsafe entries.withUnsafeMutableBufferPointer { unsafe call(self.list, $0.baseAddress, &count) }
            if code == CKR_BUFFER_TOO_SMALL { continue }
            try check(function, code)
            list = Array(entries.prefix(Int(clamping: count)))
            return
        }
        throw .malformedAnswer("\(function) never settles on a length")
    }
}

/// Throws what `code` means unless it is `CKR_OK`.
func check(_ function: String, _ code: UInt) throws(PKCS11Error) {
    guard code == CKR_OK else { throw ReturnValue.error(function, code) }
}

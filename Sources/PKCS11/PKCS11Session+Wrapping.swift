import CPKCS11
package import HPKI

extension PKCS11Session {
    /// Unwraps a holder's private key as a session object that signs and never leaves.
    ///
    /// It is there for all sessions of the process until it is destroyed or this session ends. Throws
    /// `wrappedKeyRefused` for a blob that is altered, of another wrapping key or of another type.
    package func unwrap(
        _ blob: [UInt8], as type: KeyType, under wrappingKey: KeyHandle
    ) throws(PKCS11Error) -> KeyHandle {
        var template = WrappingKey.unwrapTemplate(of: type.number)
        return try unwrap(blob, under: wrappingKey, &template)
    }

    /// Unwraps a key, signs `digest` with it as `sign(_:with:by:)` does, and destroys it, whatever comes of that.
    ///
    /// After an error, `keyMayHaveBeenUsed` tells whether `C_Sign` had begun; unwrapping alone is no use of a key.
    package func sign(
        _ digest: Digest, withWrapped blob: [UInt8], as type: KeyType, under wrappingKey: KeyHandle,
        by mechanism: SignatureMechanism
    ) throws(PKCS11Error) -> [UInt8] {
        let key = try unwrap(blob, as: type, under: wrappingKey)
        defer { discard(key.object) }
        return try sign(digest, with: key, by: mechanism)
    }

    /// Moves a wrapped key to another wrapping key: unwraps it by the rotation key, which has the value of the old
    /// one, wraps it under the new one, and destroys it.
    ///
    /// In between it is sensitive, and extractable under trusted keys alone. Throws what `unwrap` throws, and `weakKey`
    /// where the token says otherwise of it.
    package func rewrap(
        _ blob: [UInt8], as type: KeyType, from rotationKey: KeyHandle, to wrappingKey: KeyHandle
    ) throws(PKCS11Error) -> [UInt8] {
        var template = WrappingKey.rotationTemplate(of: type.number)
        let key = try unwrap(blob, under: rotationKey, &template)
        defer { discard(key.object) }
        let attributes = KeyAttributes(try values(of: key.object, KeyAttributes.types))
        guard
            attributes.isSensitive == true, attributes.wrapWithTrusted == true, attributes.isToken == false,
            attributes.signsOnly
        else { throw .weakKey }
        return try wrap(key.object, under: wrappingKey)
    }

    /// The token's secret keys that wrap or unwrap, whatever else is true of them; see `isSoundWrappingKey`.
    package func wrappingKeys() throws(PKCS11Error) -> [KeyObject] {
        try secretKeys().filter { $0.attributes.canWrap == true || $0.attributes.canUnwrap == true }
    }

    /// CKA_UNWRAP_TEMPLATE of a key, nil where it has none or the module knows no such thing.
    func unwrapTemplate(of object: CK_OBJECT_HANDLE) throws(PKCS11Error) -> [UInt: [UInt8]]? {
        let session = try handle()
        var entries = unsafe [CK_ATTRIBUTE](repeating: CK_ATTRIBUTE(), count: 32)
        var count = unsafe UInt(entries.count)
        var room = [UInt8](repeating: 0, count: 4096)
        var found: [UInt: [UInt8]] = [:]
        let code = unsafe room.withUnsafeMutableBufferPointer { bytes in
            let code = unsafe shirushi_get_template(
                functions.list, session, object, CKA_UNWRAP_TEMPLATE, &entries, &count, bytes.baseAddress,
                UInt(bytes.count))
            guard code == CKR_OK, unsafe count <= entries.count else { return code }
            for index in 0..<Int(count) {
                let entry = unsafe entries[index]
                guard let start = unsafe entry.pValue, unsafe entry.ulValueLen <= bytes.count else { continue }
                let value = unsafe UnsafeRawBufferPointer(start: start, count: Int(entry.ulValueLen))
                unsafe found[entry.type] = Array(value)
            }
            return code
        }
        switch code {
        case CKR_OK: return found.isEmpty ? nil : found
        case CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_SENSITIVE, CKR_BUFFER_TOO_SMALL, CKR_FUNCTION_NOT_SUPPORTED:
            return nil
        default: throw ReturnValue.error("C_GetAttributeValue", code)
        }
    }

    /// Wraps by CKM_AES_KEY_WRAP_PAD (RFC 5649), which takes keys of any length.
    func wrap(_ object: CK_OBJECT_HANDLE, under wrappingKey: KeyHandle) throws(PKCS11Error) -> [UInt8] {
        guard wrappingKey.login == token.login else { throw .keyMissing }
        let session = try handle()
        // PKCS#8 of RSA with 8192 bits is shorter.
        var blob = [UInt8](repeating: 0, count: 8192)
        var length = UInt(blob.count)
        let code = unsafe shirushi_wrap_key(
            functions.list, session, CKM_AES_KEY_WRAP_PAD, wrappingKey.object, object, &blob, &length)
        try check("C_WrapKey", code)
        guard length >= 24, length <= blob.count else { throw .malformedAnswer("C_WrapKey: \(length) bytes") }
        return Array(blob.prefix(Int(length)))
    }

    private func unwrap(
        _ blob: [UInt8], under key: KeyHandle, _ template: inout Template
    ) throws(PKCS11Error) -> KeyHandle {
        guard key.login == token.login else { throw .keyMissing }
        let session = try handle()
        token.module.gate.noteUnwrap()
        var object: CK_OBJECT_HANDLE = 0
        let code = unsafe template.lend { start, count in
            unsafe shirushi_unwrap_key(
                functions.list, session, CKM_AES_KEY_WRAP_PAD, key.object, blob, UInt(blob.count), start, count,
                &object)
        }
        switch code {
        case CKR_WRAPPED_KEY_INVALID, CKR_WRAPPED_KEY_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID,
            CKR_ENCRYPTED_DATA_LEN_RANGE:
            throw .wrappedKeyRefused(PKCS11Fault(function: "C_UnwrapKey", code: code))
        // SoftHSM's word for a blob that does not hold is everybody's word for a device that fails.
        case CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED:
            guard isAnswering() else { throw ReturnValue.error("C_UnwrapKey", code) }
            throw .wrappedKeyRefused(PKCS11Fault(function: "C_UnwrapKey", code: code))
        default: try check("C_UnwrapKey", code)
        }
        return KeyHandle(object: object, login: token.login)
    }
}

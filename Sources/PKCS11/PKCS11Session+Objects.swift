import CPKCS11

extension PKCS11Session {
    /// Every private key of the token, with its attributes, in one enumeration.
    ///
    /// A search costs the token time for each of its objects, so this is done once, not once a key.
    package func privateKeys() throws(PKCS11Error) -> [KeyObject] { try keys(.privateKey, CKO_PRIVATE_KEY) }

    /// Every secret key of the token, with its attributes.
    package func secretKeys() throws(PKCS11Error) -> [KeyObject] { try keys(.secretKey, CKO_SECRET_KEY) }

    /// The public key whose CKA_ID is `id`, as a SubjectPublicKeyInfo in DER (RFC 5280 §4.1).
    ///
    /// Throws `keyMissing` where the token has none and `malformedAnswer` where it has several.
    package func publicKey(id: [UInt8]) throws(PKCS11Error) -> [UInt8] {
        var template = Template()
        template.set(CKA_CLASS, CKO_PUBLIC_KEY)
        template.set(CKA_ID, id)
        let found = try objects(&template)
        guard let object = found.first else { throw .keyMissing }
        guard found.count == 1 else { throw .malformedAnswer("\(found.count) public keys with one CKA_ID") }
        return try subjectPublicKeyInfo(of: object)
    }

    /// Whether the token hands out any secret value of `key` when asked, whatever its attributes say.
    ///
    /// For an audit and a probe: a token fit for custody refuses. The values themselves are thrown away.
    package func reveals(_ key: KeyHandle) throws(PKCS11Error) -> Bool {
        guard key.login == token.login else { throw .keyMissing }
        let secrets = [
            CKA_VALUE, CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT,
        ]
        return try values(of: key.object, secrets).values.contains { !$0.isEmpty }
    }

    /// Destroys this one object; the other half of a pair stays.
    package func destroy(_ key: KeyHandle) throws(PKCS11Error) {
        guard key.login == token.login else { throw .keyMissing }
        try check("C_DestroyObject", unsafe shirushi_destroy_object(functions.list, try handle(), key.object))
    }

    func subjectPublicKeyInfo(of object: CK_OBJECT_HANDLE) throws(PKCS11Error) -> [UInt8] {
        let values = try values(
            of: object, [CKA_KEY_TYPE, CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_EC_PARAMS, CKA_EC_POINT])
        switch number(values[CKA_KEY_TYPE]) {
        case CKK_RSA?:
            guard let modulus = values[CKA_MODULUS], let exponent = values[CKA_PUBLIC_EXPONENT] else { break }
            return SubjectPublicKeyInfo.rsa(modulus: modulus, exponent: exponent)
        case CKK_EC?:
            guard let parameters = values[CKA_EC_PARAMS], let point = values[CKA_EC_POINT] else { break }
            return try SubjectPublicKeyInfo.ec(parameters: parameters, point: point)
        default: break
        }
        throw .malformedAnswer("a public key without its values")
    }

    private func keys(_ kind: KeyObject.Kind, _ objectClass: UInt) throws(PKCS11Error) -> [KeyObject] {
        var template = Template()
        template.set(CKA_CLASS, objectClass)
        let login = token.login
        var found: [KeyObject] = []
        for object in try objects(&template) {
            let values = try values(of: object, [CKA_ID, CKA_LABEL, CKA_KEY_TYPE] + KeyAttributes.types)
            found.append(
                KeyObject(
                    handle: KeyHandle(object: object, login: login),
                    kind: kind,
                    id: values[CKA_ID] ?? [],
                    label: String(decoding: values[CKA_LABEL] ?? [], as: UTF8.self),
                    type: number(values[CKA_KEY_TYPE]),
                    attributes: KeyAttributes(values),
                    unwrapTemplate: kind == .secretKey ? try unwrapTemplate(of: object) : nil
                )
            )
        }
        return found
    }

    /// The handles of all objects that match `template`.
    private func objects(_ template: inout Template) throws(PKCS11Error) -> [CK_OBJECT_HANDLE] {
        let session = try handle()
        let code = unsafe template.lend { unsafe shirushi_find_objects_init(functions.list, session, $0, $1) }
        try check("C_FindObjectsInit", code)
        defer { _ = unsafe shirushi_find_objects_final(functions.list, session) }
        var found: [CK_OBJECT_HANDLE] = []
        var batch = [CK_OBJECT_HANDLE](repeating: 0, count: 512)
        while true {
            var count: UInt = 0
            let code = unsafe shirushi_find_objects(functions.list, session, &batch, UInt(batch.count), &count)
            try check("C_FindObjects", code)
            guard count <= batch.count else { throw .malformedAnswer("C_FindObjects: \(count) handles") }
            guard count > 0 else { return found }
            found += batch.prefix(Int(count))
        }
    }

    /// The values of `types` that the token gives of `object`.
    func values(of object: CK_OBJECT_HANDLE, _ types: [UInt]) throws(PKCS11Error) -> [UInt: [UInt8]] {
        var template = Template()
        for type in types { template.ask(for: type, capacity: Self.capacity) }
        let session = try handle()
        let code = unsafe template.lend {
            unsafe shirushi_get_attribute_value(functions.list, session, object, $0, $1)
        }
        if code == CKR_OK { return template.values }
        // Some modules stop at the first attribute they refuse, so each is then asked for alone.
        guard types.count > 1 else {
            switch code {
            case CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_SENSITIVE: return [:]
            default: throw ReturnValue.error("C_GetAttributeValue", code)
            }
        }
        switch code {
        case CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_SENSITIVE, CKR_BUFFER_TOO_SMALL: break
        default: throw ReturnValue.error("C_GetAttributeValue", code)
        }
        var found: [UInt: [UInt8]] = [:]
        for type in types { found.merge(try values(of: object, [type])) { first, _ in first } }
        return found
    }

    // RSA with 8192 bits fits; an identifier or label that does not is refused as CKR_BUFFER_TOO_SMALL.
    private static let capacity = 1024

    private func number(_ value: [UInt8]?) -> UInt? {
        guard let value, value.count == MemoryLayout<UInt>.size else { return nil }
        return value.reversed().reduce(0) { $0 << 8 | UInt($1) }
    }
}

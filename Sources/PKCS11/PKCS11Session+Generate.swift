import CPKCS11
package import HPKI

/// A pair that was generated in the token.
package struct GeneratedKeyPair: Sendable, Hashable {
    package let privateKey: KeyHandle
    package let publicKey: KeyHandle
    /// The public key as a SubjectPublicKeyInfo in DER (RFC 5280 §4.1).
    package let subjectPublicKeyInfo: [UInt8]
}

/// A pair that was generated in the token and left it wrapped; nothing of it stays there.
package struct WrappedKeyPair: Sendable, Hashable {
    /// The private key as PKCS#8, wrapped by AES Key Wrap with Padding (RFC 5649).
    package let blob: [UInt8]
    /// The public key as a SubjectPublicKeyInfo in DER (RFC 5280 §4.1).
    package let subjectPublicKeyInfo: [UInt8]
    package let keyType: KeyType
}

extension PKCS11Session {
    /// Generates a pair as token objects; the private key signs, does nothing else, and never leaves the token.
    ///
    /// What the token says of the new key is read back: one that is readable, extractable or good for more than
    /// signing is destroyed, and `weakKey` thrown. The session must be writable and logged in.
    package func generateKeyPair(
        _ type: KeyType, label: String, id: [UInt8]
    ) throws(PKCS11Error) -> GeneratedKeyPair {
        var publicTemplate = type.publicAttributes(isToken: true)
        publicTemplate.set(CKA_LABEL, Array(label.utf8))
        publicTemplate.set(CKA_ID, id)
        var privateTemplate = Self.privateAttributes(isToken: true)
        privateTemplate.set(CKA_LABEL, Array(label.utf8))
        privateTemplate.set(CKA_ID, id)
        let pair = try generate(type, &publicTemplate, &privateTemplate)
        do throws(PKCS11Error) {
            let attributes = KeyAttributes(try values(of: pair.privateKey, KeyAttributes.types))
            guard attributes.isConfined, attributes.signsOnly, attributes.isPrivate == true else { throw .weakKey }
            return GeneratedKeyPair(
                privateKey: KeyHandle(object: pair.privateKey, login: token.login),
                publicKey: KeyHandle(object: pair.publicKey, login: token.login),
                subjectPublicKeyInfo: try subjectPublicKeyInfo(of: pair.publicKey)
            )
        } catch {
            // Nobody will know of this pair, so it must not stay.
            discard(pair.privateKey)
            discard(pair.publicKey)
            throw error
        }
    }

    /// Generates a pair as session objects, wraps the private key under `wrappingKey`, and destroys both.
    ///
    /// The private key is sensitive from the start, and extractable only under a trusted key. A token that says
    /// otherwise of it gets `weakKey`. The session need not be writable.
    package func generateWrappedKeyPair(
        _ type: KeyType, under wrappingKey: KeyHandle
    ) throws(PKCS11Error) -> WrappedKeyPair {
        var publicTemplate = type.publicAttributes(isToken: false)
        var privateTemplate = Self.privateAttributes(isToken: false)
        let pair = try generate(type, &publicTemplate, &privateTemplate)
        defer {
            discard(pair.privateKey)
            discard(pair.publicKey)
        }
        let attributes = KeyAttributes(try values(of: pair.privateKey, KeyAttributes.types))
        guard
            attributes.isToken == false, attributes.isPrivate == true, attributes.isLocal == true,
            attributes.isSensitive == true, attributes.alwaysSensitive == true, attributes.wrapWithTrusted == true,
            attributes.signsOnly
        else { throw .weakKey }
        return WrappedKeyPair(
            blob: try wrap(pair.privateKey, under: wrappingKey),
            subjectPublicKeyInfo: try subjectPublicKeyInfo(of: pair.publicKey),
            keyType: type
        )
    }

    private func generate(
        _ type: KeyType, _ publicTemplate: inout Template, _ privateTemplate: inout Template
    ) throws(PKCS11Error) -> (publicKey: CK_OBJECT_HANDLE, privateKey: CK_OBJECT_HANDLE) {
        let session = try handle()
        var publicKey: CK_OBJECT_HANDLE = 0
        var privateKey: CK_OBJECT_HANDLE = 0
        let code = unsafe publicTemplate.lend { publicStart, publicCount in
            unsafe privateTemplate.lend { privateStart, privateCount in
                unsafe shirushi_generate_key_pair(
                    functions.list, session, type.generation, publicStart, publicCount, privateStart, privateCount,
                    &publicKey, &privateKey)
            }
        }
        try check("C_GenerateKeyPair", code)
        return (publicKey, privateKey)
    }

    private static func privateAttributes(isToken: Bool) -> Template {
        var template = Template()
        template.set(CKA_CLASS, CKO_PRIVATE_KEY)
        template.set(CKA_TOKEN, isToken)
        template.set(CKA_PRIVATE, true)
        template.set(CKA_SENSITIVE, true)
        template.set(CKA_EXTRACTABLE, !isToken)
        if !isToken { template.set(CKA_WRAP_WITH_TRUSTED, true) }
        template.set(CKA_SIGN, true)
        template.set(CKA_DECRYPT, false)
        template.set(CKA_UNWRAP, false)
        template.set(CKA_DERIVE, false)
        template.set(CKA_SIGN_RECOVER, false)
        return template
    }
}

extension KeyType {
    /// CKA_KEY_TYPE of both halves.
    var number: UInt {
        switch self {
        case .rsa2048, .rsa3072, .rsa4096: CKK_RSA
        case .p256, .p384: CKK_EC
        }
    }

    /// CKA_EC_PARAMS of a key on a curve.
    var curve: [UInt8] { self == .p384 ? SubjectPublicKeyInfo.p384 : SubjectPublicKeyInfo.p256 }

    /// The mechanism that makes a pair.
    var generation: UInt {
        switch self {
        case .rsa2048, .rsa3072, .rsa4096: CKM_RSA_PKCS_KEY_PAIR_GEN
        case .p256, .p384: CKM_EC_KEY_PAIR_GEN
        }
    }

    fileprivate func publicAttributes(isToken: Bool) -> Template {
        var template = Template()
        template.set(CKA_CLASS, CKO_PUBLIC_KEY)
        template.set(CKA_TOKEN, isToken)
        template.set(CKA_PRIVATE, false)
        template.set(CKA_VERIFY, true)
        template.set(CKA_ENCRYPT, false)
        template.set(CKA_WRAP, false)
        if let modulusBits {
            template.set(CKA_MODULUS_BITS, UInt(modulusBits))
            template.set(CKA_PUBLIC_EXPONENT, [1, 0, 1])
        } else {
            template.set(CKA_EC_PARAMS, curve)
        }
        return template
    }
}

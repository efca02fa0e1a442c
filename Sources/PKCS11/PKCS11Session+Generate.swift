import CPKCS11

/// Which pair of keys to generate.
package enum KeyKind: Sendable, Hashable {
    /// RSA with a modulus of this many bits and the public exponent 65537.
    case rsa(bits: Int)
    case p256
    case p384
}

/// A pair that was generated in the token.
package struct GeneratedKeyPair: Sendable, Hashable {
    package let privateKey: KeyHandle
    package let publicKey: KeyHandle
    /// The public key as a SubjectPublicKeyInfo in DER (RFC 5280 §4.1).
    package let subjectPublicKeyInfo: [UInt8]
}

extension PKCS11Session {
    /// Generates a pair as token objects; the private key signs, does nothing else, and never leaves the token.
    ///
    /// What the token says of the new key is read back: one that is readable, extractable or good for more than
    /// signing is destroyed, and `weakKey` thrown. The session must be writable and logged in.
    package func generateKeyPair(
        _ kind: KeyKind, label: String, id: [UInt8]
    ) throws(PKCS11Error) -> GeneratedKeyPair {
        let session = try handle()
        var publicTemplate = publicAttributes(kind, label: label, id: id)
        var privateTemplate = privateAttributes(kind, label: label, id: id)
        var publicKey: CK_OBJECT_HANDLE = 0
        var privateKey: CK_OBJECT_HANDLE = 0
        let code = unsafe publicTemplate.lend { publicStart, publicCount in
            unsafe privateTemplate.lend { privateStart, privateCount in
                unsafe shirushi_generate_key_pair(
                    functions.list, session, kind.mechanism, publicStart, publicCount, privateStart, privateCount,
                    &publicKey, &privateKey)
            }
        }
        try check("C_GenerateKeyPair", code)
        do throws(PKCS11Error) {
            let attributes = KeyAttributes(try values(of: privateKey, KeyAttributes.types))
            guard attributes.isConfined, attributes.signsOnly, attributes.isPrivate == true else { throw .weakKey }
            return GeneratedKeyPair(
                privateKey: KeyHandle(object: privateKey, login: token.login),
                publicKey: KeyHandle(object: publicKey, login: token.login),
                subjectPublicKeyInfo: try subjectPublicKeyInfo(of: publicKey)
            )
        } catch {
            // Nobody will know of this pair, so it must not stay.
            _ = unsafe shirushi_destroy_object(functions.list, session, privateKey)
            _ = unsafe shirushi_destroy_object(functions.list, session, publicKey)
            throw error
        }
    }

    private func publicAttributes(_ kind: KeyKind, label: String, id: [UInt8]) -> Template {
        var template = Template()
        template.set(CKA_CLASS, CKO_PUBLIC_KEY)
        template.set(CKA_TOKEN, true)
        template.set(CKA_PRIVATE, false)
        template.set(CKA_LABEL, Array(label.utf8))
        template.set(CKA_ID, id)
        template.set(CKA_VERIFY, true)
        template.set(CKA_ENCRYPT, false)
        template.set(CKA_WRAP, false)
        switch kind {
        case .rsa(let bits):
            template.set(CKA_MODULUS_BITS, UInt(clamping: bits))
            template.set(CKA_PUBLIC_EXPONENT, [1, 0, 1])
        case .p256: template.set(CKA_EC_PARAMS, SubjectPublicKeyInfo.p256)
        case .p384: template.set(CKA_EC_PARAMS, SubjectPublicKeyInfo.p384)
        }
        return template
    }

    private func privateAttributes(_ kind: KeyKind, label: String, id: [UInt8]) -> Template {
        var template = Template()
        template.set(CKA_CLASS, CKO_PRIVATE_KEY)
        template.set(CKA_TOKEN, true)
        template.set(CKA_PRIVATE, true)
        template.set(CKA_LABEL, Array(label.utf8))
        template.set(CKA_ID, id)
        template.set(CKA_SENSITIVE, true)
        template.set(CKA_EXTRACTABLE, false)
        template.set(CKA_SIGN, true)
        template.set(CKA_DECRYPT, false)
        template.set(CKA_UNWRAP, false)
        template.set(CKA_DERIVE, false)
        template.set(CKA_SIGN_RECOVER, false)
        return template
    }
}

extension KeyKind {
    fileprivate var mechanism: UInt {
        switch self {
        case .rsa: CKM_RSA_PKCS_KEY_PAIR_GEN
        case .p256, .p384: CKM_EC_KEY_PAIR_GEN
        }
    }
}

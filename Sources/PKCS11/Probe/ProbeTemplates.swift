import CPKCS11
internal import HPKI

/// The templates of wrapped and resident custody as the probe tries them.
enum ProbeTemplates {
    /// The wrapping key: made in the security officer's session, an object of the token.
    static func wrappingKey(label: String, id: [UInt8]) -> [Attribute] {
        [
            Attribute(CKA_CLASS, CKO_SECRET_KEY), Attribute(CKA_KEY_TYPE, CKK_AES), Attribute(CKA_VALUE_LEN, UInt(32)),
            Attribute(CKA_LABEL, Array(label.utf8)), Attribute(CKA_ID, id), Attribute(CKA_TOKEN, true),
            // An officer's session makes no private objects; the value is guarded by what follows.
            Attribute(CKA_PRIVATE, false), Attribute(CKA_SENSITIVE, true), Attribute(CKA_EXTRACTABLE, false),
            Attribute(CKA_WRAP, true), Attribute(CKA_UNWRAP, true), Attribute(CKA_ENCRYPT, false),
            Attribute(CKA_DECRYPT, false), Attribute(CKA_SIGN, false), Attribute(CKA_VERIFY, false),
            Attribute(CKA_DERIVE, false), Attribute(CKA_MODIFIABLE, false), Attribute(CKA_COPYABLE, false),
            Attribute(CKA_TRUSTED, true), Attribute(CKA_UNWRAP_TEMPLATE, enforced),
        ]
    }

    /// What the wrapping key asks of every key that it unwraps.
    static let enforced: [Attribute] = [
        Attribute(CKA_CLASS, CKO_PRIVATE_KEY), Attribute(CKA_TOKEN, false), Attribute(CKA_PRIVATE, true),
        Attribute(CKA_SENSITIVE, true), Attribute(CKA_EXTRACTABLE, false), Attribute(CKA_SIGN, true),
        Attribute(CKA_DECRYPT, false), Attribute(CKA_UNWRAP, false), Attribute(CKA_DERIVE, false),
        Attribute(CKA_SIGN_RECOVER, false),
        // Without this the unwrapped key can be made to decrypt, and be copied into the token. It comes last: SoftHSM
        // sets attributes in order and refuses all that follow it.
        Attribute(CKA_MODIFIABLE, false),
    ]

    /// A holder's key as it comes back for one use.
    static func unwrapped(_ keyType: UInt) -> [Attribute] { [Attribute(CKA_KEY_TYPE, keyType)] + enforced }

    /// A wrapping key with a known value, as whoever has the user's PIN would make it.
    static let knownKey: [Attribute] = [
        Attribute(CKA_CLASS, CKO_SECRET_KEY), Attribute(CKA_KEY_TYPE, CKK_AES), Attribute(CKA_TOKEN, false),
        Attribute(CKA_PRIVATE, true), Attribute(CKA_SENSITIVE, false), Attribute(CKA_EXTRACTABLE, true),
        Attribute(CKA_WRAP, true), Attribute(CKA_UNWRAP, true), Attribute(CKA_ENCRYPT, true),
        Attribute(CKA_DECRYPT, true), Attribute(CKA_VALUE, [UInt8](repeating: 7, count: 32)),
    ]

    /// A secret whose value can be read, as which an attacker would like a holder's key to come back.
    static func readableSecret(_ keyType: UInt) -> [Attribute] {
        [
            Attribute(CKA_CLASS, CKO_SECRET_KEY), Attribute(CKA_KEY_TYPE, keyType), Attribute(CKA_TOKEN, false),
            Attribute(CKA_PRIVATE, true), Attribute(CKA_SENSITIVE, false), Attribute(CKA_EXTRACTABLE, true),
        ]
    }

    static func publicKey(_ kind: KeyType, isToken: Bool) -> [Attribute] {
        var template = [
            Attribute(CKA_CLASS, CKO_PUBLIC_KEY), Attribute(CKA_TOKEN, isToken), Attribute(CKA_PRIVATE, false),
            Attribute(CKA_VERIFY, true),
        ]
        if let bits = kind.modulusBits {
            template.append(Attribute(CKA_MODULUS_BITS, UInt(clamping: bits)))
            template.append(Attribute(CKA_PUBLIC_EXPONENT, [1, 0, 1] as [UInt8]))
        } else {
            template.append(Attribute(CKA_EC_PARAMS, kind.curve))
        }
        return template
    }

    /// A private key that signs and does nothing else.
    static func privateKey(isToken: Bool, isExtractable: Bool) -> [Attribute] {
        [
            Attribute(CKA_CLASS, CKO_PRIVATE_KEY), Attribute(CKA_TOKEN, isToken), Attribute(CKA_PRIVATE, true),
            Attribute(CKA_SENSITIVE, true), Attribute(CKA_EXTRACTABLE, isExtractable), Attribute(CKA_SIGN, true),
            Attribute(CKA_SIGN_RECOVER, false), Attribute(CKA_DECRYPT, false), Attribute(CKA_UNWRAP, false),
            Attribute(CKA_DERIVE, false),
        ]
    }

    /// A holder's key in the session that generates it: it may leave, under a trusted key alone.
    static let leaving = privateKey(isToken: false, isExtractable: true) + [Attribute(CKA_WRAP_WITH_TRUSTED, true)]

    /// The attributes that hold a private or secret key's value.
    static let secrets = [
        CKA_VALUE, CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT,
    ]
}

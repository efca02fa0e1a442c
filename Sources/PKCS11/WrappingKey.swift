import CPKCS11

/// What a wrapping key and a rotation key are made as, and whether one that is found is such a key.
///
/// A wrapping key that is merely not extractable protects nothing: whoever has the user's PIN could unwrap a blob as a
/// readable key, or decrypt it. So what a key may be unwrapped as stands in the wrapping key itself
/// (CKA_UNWRAP_TEMPLATE, PKCS#11 v2.40 §4.10.2), and the security officer alone makes such keys.
enum WrappingKey {
    /// What stays of a holder's key after unwrapping: a session object that signs, never leaves and never changes.
    ///
    /// With a key type it is what C_UnwrapKey is asked for, without one what stands in the wrapping key.
    static func unwrapTemplate(of keyType: UInt? = nil) -> Template { unwrapTemplate(keyType, isForRotation: false) }

    /// What a holder's key is unwrapped as for as long as it takes to wrap it under the next wrapping key.
    static func rotationTemplate(of keyType: UInt? = nil) -> Template { unwrapTemplate(keyType, isForRotation: true) }

    private static func unwrapTemplate(_ keyType: UInt?, isForRotation: Bool) -> Template {
        var template = Template()
        template.set(CKA_CLASS, CKO_PRIVATE_KEY)
        if let keyType { template.set(CKA_KEY_TYPE, keyType) }
        template.set(CKA_TOKEN, false)
        template.set(CKA_PRIVATE, true)
        template.set(CKA_SENSITIVE, true)
        template.set(CKA_EXTRACTABLE, isForRotation)
        template.set(CKA_SIGN, true)
        template.set(CKA_DECRYPT, false)
        template.set(CKA_UNWRAP, false)
        template.set(CKA_DERIVE, false)
        template.set(CKA_SIGN_RECOVER, false)
        if isForRotation { template.set(CKA_WRAP_WITH_TRUSTED, true) }
        // A key that can be modified can be made to decrypt. It comes last: SoftHSM sets attributes in order, and
        // refuses those behind it.
        template.set(CKA_MODIFIABLE, false)
        return template
    }

    /// The attributes of a new wrapping key, or of a rotation key, which unwraps only and is not trusted.
    ///
    /// It is a public object, because the security officer's session makes no other; its value is sensitive all the
    /// same, and only a logged-in user can unwrap with it, since what it unwraps is private.
    static func attributes(forRotation: Bool, label: String, id: [UInt8]) -> Template {
        var template = Template()
        template.set(CKA_CLASS, CKO_SECRET_KEY)
        template.set(CKA_KEY_TYPE, CKK_AES)
        template.set(CKA_TOKEN, true)
        template.set(CKA_PRIVATE, false)
        template.set(CKA_LABEL, Array(label.utf8))
        template.set(CKA_ID, id)
        template.set(CKA_SENSITIVE, true)
        template.set(CKA_EXTRACTABLE, false)
        template.set(CKA_MODIFIABLE, false)
        template.set(CKA_COPYABLE, false)
        template.set(CKA_WRAP, !forRotation)
        template.set(CKA_UNWRAP, true)
        template.set(CKA_TRUSTED, !forRotation)
        for type in [CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_DERIVE] { template.set(type, false) }
        template.set(CKA_UNWRAP_TEMPLATE, forRotation ? rotationTemplate() : unwrapTemplate())
        return template
    }
}

extension KeyObject {
    /// Whether the token says of the key that it may keep holders' keys: trusted, confined, and good for nothing else.
    package var isSoundWrappingKey: Bool {
        attributes.isTrusted == true && attributes.canWrap == true && isConfinedUnwrappingKey
            && unwrapTemplate.map { Self.covers($0, WrappingKey.unwrapTemplate()) } == true
    }

    /// Whether the token says of the key that it unwraps for a rotation and does nothing else.
    ///
    /// What it unwraps can be wrapped again, under trusted keys alone.
    package var isSoundRotationKey: Bool {
        attributes.isTrusted != true && attributes.canWrap == false && isConfinedUnwrappingKey
            && unwrapTemplate.map { Self.covers($0, WrappingKey.rotationTemplate()) } == true
    }

    private var isConfinedUnwrappingKey: Bool {
        kind == .secretKey && type == CKK_AES && attributes.isToken == true && attributes.isSensitive == true
            && attributes.isExtractable == false && attributes.isModifiable == false
            // CKA_COPYABLE is younger than many modules; without the right to modify, a copy is no weaker.
            && attributes.isCopyable != true && attributes.canUnwrap == true && attributes.canEncrypt == false
            && attributes.canDecrypt == false && attributes.canSign == false && attributes.canVerify != true
            && attributes.canDerive == false
    }

    /// Whether `found` demands all that `needed` does; it may demand more.
    private static func covers(_ found: [UInt: [UInt8]], _ needed: Template) -> Bool {
        needed.entered.allSatisfy { found[$0.key] == $0.value }
    }
}

import CPKCS11

/// A private or secret key as the token describes it, without its value.
package struct KeyObject: Sendable, Hashable {
    /// What kind of object it is (CKA_CLASS).
    package enum Kind: Sendable, Hashable {
        case privateKey
        case secretKey
    }

    package let handle: KeyHandle
    package let kind: Kind
    /// CKA_ID, empty where the object has none.
    package let id: [UInt8]
    /// CKA_LABEL, empty where the object has none.
    package let label: String
    /// CKA_KEY_TYPE: the `CKK_` number, nil where the module does not tell.
    package let type: UInt?
    package let attributes: KeyAttributes
    /// CKA_UNWRAP_TEMPLATE by attribute type: what a key unwrapped by this one must be; nil where it has none.
    package let unwrapTemplate: [UInt: [UInt8]]?
}

/// The yes-or-no attributes of a key that matter to an audit; nil where the module does not tell, which is not "no".
package struct KeyAttributes: Sendable, Hashable {
    package let isToken: Bool?
    package let isPrivate: Bool?
    package let isSensitive: Bool?
    package let isExtractable: Bool?
    /// CKA_ALWAYS_SENSITIVE: it was never readable.
    package let alwaysSensitive: Bool?
    /// CKA_NEVER_EXTRACTABLE: it could never be wrapped.
    package let neverExtractable: Bool?
    /// CKA_LOCAL: it was generated in the token.
    package let isLocal: Bool?
    package let isModifiable: Bool?
    package let isCopyable: Bool?
    /// CKA_TRUSTED: the security officer made it to wrap keys that are CKA_WRAP_WITH_TRUSTED.
    package let isTrusted: Bool?
    /// CKA_WRAP_WITH_TRUSTED: it can be wrapped under trusted keys alone.
    package let wrapWithTrusted: Bool?
    package let canVerify: Bool?
    package let canSign: Bool?
    package let canSignRecover: Bool?
    package let canDecrypt: Bool?
    package let canUnwrap: Bool?
    package let canDerive: Bool?
    package let canEncrypt: Bool?
    package let canWrap: Bool?

    /// Whether the token says of the key that it cannot be read, cannot be extracted, and never could.
    package var isConfined: Bool {
        isSensitive == true && isExtractable == false && alwaysSensitive == true && neverExtractable == true
    }

    /// Whether the token says of the key that it signs and does nothing else.
    package var signsOnly: Bool {
        // What a private key does not have at all (encrypt, wrap) may be nil.
        canSign == true && canSignRecover != true && canDecrypt == false && canUnwrap == false && canDerive == false
            && canEncrypt != true && canWrap != true
    }

    static let types: [UInt] = [
        CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_LOCAL,
        CKA_MODIFIABLE, CKA_COPYABLE, CKA_TRUSTED, CKA_WRAP_WITH_TRUSTED, CKA_VERIFY, CKA_SIGN, CKA_SIGN_RECOVER,
        CKA_DECRYPT, CKA_UNWRAP, CKA_DERIVE, CKA_ENCRYPT, CKA_WRAP,
    ]

    init(_ values: [UInt: [UInt8]]) {
        func flag(_ type: UInt) -> Bool? {
            guard let value = values[type], value.count == 1 else { return nil }
            return value[0] != 0
        }
        isToken = flag(CKA_TOKEN)
        isPrivate = flag(CKA_PRIVATE)
        isSensitive = flag(CKA_SENSITIVE)
        isExtractable = flag(CKA_EXTRACTABLE)
        alwaysSensitive = flag(CKA_ALWAYS_SENSITIVE)
        neverExtractable = flag(CKA_NEVER_EXTRACTABLE)
        isLocal = flag(CKA_LOCAL)
        isModifiable = flag(CKA_MODIFIABLE)
        isCopyable = flag(CKA_COPYABLE)
        isTrusted = flag(CKA_TRUSTED)
        wrapWithTrusted = flag(CKA_WRAP_WITH_TRUSTED)
        canVerify = flag(CKA_VERIFY)
        canSign = flag(CKA_SIGN)
        canSignRecover = flag(CKA_SIGN_RECOVER)
        canDecrypt = flag(CKA_DECRYPT)
        canUnwrap = flag(CKA_UNWRAP)
        canDerive = flag(CKA_DERIVE)
        canEncrypt = flag(CKA_ENCRYPT)
        canWrap = flag(CKA_WRAP)
    }
}

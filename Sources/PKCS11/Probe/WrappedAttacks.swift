import CPKCS11

/// Everything that whoever holds the user's PIN and a blob may try against wrapped custody.
struct WrappedAttacks {
    let attacker: Attacker
    let wrappingKey: UInt
    let key: WrappedKey
    /// Whether the wrapping key is the probe's own, so that changes of it that cannot be put back may be tried.
    let isScratch: Bool

    private var session: BareSession { attacker.session }

    func all() -> [ProbeReport.Attack] {
        onWrappingKey() + onBlob() + onHolderKey() + onTrust()
    }

    private func attack(_ name: String, _ tries: [Attacker.Try]) -> ProbeReport.Attack {
        attacker.attack(.wrapped, name, tries)
    }

    private static let ciphers: [(name: String, mechanism: UInt)] = [
        ("CKM_AES_ECB", CKM_AES_ECB), ("CKM_AES_CBC", CKM_AES_CBC), ("CKM_AES_CBC_PAD", CKM_AES_CBC_PAD),
        ("CKM_AES_CTR", CKM_AES_CTR), ("CKM_AES_GCM", CKM_AES_GCM),
    ]
    private static let wraps: [(name: String, mechanism: UInt)] = [
        ("CKM_AES_KEY_WRAP", CKM_AES_KEY_WRAP), ("CKM_AES_KEY_WRAP_PAD", CKM_AES_KEY_WRAP_PAD),
    ]

    private func onWrappingKey() -> [ProbeReport.Attack] {
        let zeros = [UInt8](repeating: 0, count: 32)
        var copies = attacker.copies(
            wrappingKey,
            [
                ("CKA_DECRYPT", CKA_DECRYPT, true), ("CKA_ENCRYPT", CKA_ENCRYPT, true),
                ("CKA_EXTRACTABLE", CKA_EXTRACTABLE, true), ("CKA_SENSITIVE", CKA_SENSITIVE, false),
                ("as it is", CKA_TOKEN, false),
            ])
        copies.append(
            (
                "with an empty CKA_UNWRAP_TEMPLATE",
                { () throws(Refusal) -> String? in
                    let copy = try session.copy(
                        wrappingKey, [Attribute(CKA_TOKEN, false), Attribute(CKA_UNWRAP_TEMPLATE, [Attribute]())])
                    defer { session.destroy(copy) }
                    return "a copy was made"
                }
            ))
        var sets = attacker.sets(
            wrappingKey,
            [
                ("CKA_DECRYPT", CKA_DECRYPT, true), ("CKA_ENCRYPT", CKA_ENCRYPT, true),
                ("CKA_DERIVE", CKA_DERIVE, true),
                ("CKA_SIGN", CKA_SIGN, true),
            ])
        if isScratch {
            // Most of these cannot be undone, so they are for a key that goes away.
            sets += attacker.sets(
                wrappingKey,
                [
                    ("CKA_MODIFIABLE", CKA_MODIFIABLE, true), ("CKA_COPYABLE", CKA_COPYABLE, true),
                    ("CKA_EXTRACTABLE", CKA_EXTRACTABLE, true), ("CKA_SENSITIVE", CKA_SENSITIVE, false),
                ])
            sets.append(
                (
                    "CKA_UNWRAP_TEMPLATE",
                    { () throws(Refusal) -> String? in
                        try session.set(wrappingKey, [Attribute(CKA_UNWRAP_TEMPLATE, [Attribute(CKA_SIGN, true)])])
                        try? session.set(wrappingKey, [Attribute(CKA_UNWRAP_TEMPLATE, ProbeTemplates.enforced)])
                        return "it was set"
                    }
                ))
        }
        return [
            attack("read the wrapping key", attacker.reads(wrappingKey)),
            attack(
                "decrypt with the wrapping key",
                (Self.ciphers + Self.wraps).map { name, mechanism in
                    (
                        name,
                        { () throws(Refusal) -> String? in
                            let blob = Self.wraps.contains { $0.mechanism == mechanism } ? key.blob : zeros
                            return "\(try session.decrypt(mechanism, with: wrappingKey, blob).count) bytes"
                        }
                    )
                }),
            attack(
                "encrypt with the wrapping key",
                (Self.ciphers + Self.wraps).map { name, mechanism in
                    (
                        name,
                        { () throws(Refusal) -> String? in
                            "\(try session.encrypt(mechanism, with: wrappingKey, zeros).count) bytes"
                        }
                    )
                }),
            attack(
                "compute a MAC with the wrapping key",
                [("CKM_AES_CMAC", CKM_AES_CMAC), ("CKM_AES_MAC", CKM_AES_MAC)].map { name, mechanism in
                    (
                        name,
                        { () throws(Refusal) -> String? in
                            "\(try session.sign(mechanism, with: wrappingKey, zeros).count) bytes"
                        }
                    )
                }),
            attack(
                "derive from the wrapping key",
                [
                    ("CKM_AES_ECB_ENCRYPT_DATA", CKM_AES_ECB_ENCRYPT_DATA),
                    ("CKM_XOR_BASE_AND_DATA", CKM_XOR_BASE_AND_DATA),
                    ("CKM_CONCATENATE_BASE_AND_DATA", CKM_CONCATENATE_BASE_AND_DATA),
                ].map { name, mechanism in
                    (
                        name,
                        { () throws(Refusal) -> String? in
                            let made = try session.derive(
                                mechanism, from: wrappingKey, ProbeTemplates.readableSecret(CKK_GENERIC_SECRET))
                            session.destroy(made)
                            return "a key was derived"
                        }
                    )
                }),
            attack("wrap the wrapping key under a known key", attacker.knownWraps(wrappingKey)),
            attack("change the wrapping key", sets),
            attack("copy the wrapping key", copies),
        ]
    }

    private func onBlob() -> [ProbeReport.Attack] {
        let honest = ProbeTemplates.unwrapped(key.kind.number)
        let readable = [Attribute(CKA_SENSITIVE, false), Attribute(CKA_EXTRACTABLE, true)]
        let loose: [(String, [Attribute])] = [
            ("CKA_SENSITIVE false", honest.with(Attribute(CKA_SENSITIVE, false))),
            ("CKA_EXTRACTABLE true", honest.with(Attribute(CKA_EXTRACTABLE, true))),
            (
                "both",
                honest.with(Attribute(CKA_SENSITIVE, false), Attribute(CKA_EXTRACTABLE, true))
            ),
            ("left out", honest.without(CKA_SENSITIVE, CKA_EXTRACTABLE)),
            (
                "class and type alone",
                [Attribute(CKA_CLASS, CKO_PRIVATE_KEY), Attribute(CKA_KEY_TYPE, key.kind.number)]
            ),
            ("no template", []),
            // A module may check one of two attributes and apply the other.
            ("given twice, first loose", readable + honest),
            ("given twice, last loose", honest.without(CKA_MODIFIABLE) + readable + [Attribute(CKA_MODIFIABLE, false)]),
        ]
        let uses: [(String, [Attribute])] = [
            ("CKA_DECRYPT", honest.with(Attribute(CKA_DECRYPT, true))),
            ("CKA_DERIVE", honest.with(Attribute(CKA_DERIVE, true))),
            ("CKA_UNWRAP", honest.with(Attribute(CKA_UNWRAP, true))),
            ("CKA_SIGN_RECOVER", honest.with(Attribute(CKA_SIGN_RECOVER, true))),
        ]
        let secrets: [(String, [Attribute])] = [
            ("CKK_GENERIC_SECRET", ProbeTemplates.readableSecret(CKK_GENERIC_SECRET)),
            ("CKK_AES", ProbeTemplates.readableSecret(CKK_AES)),
            ("CKO_SECRET_KEY in the honest template", honest.with(Attribute(CKA_CLASS, CKO_SECRET_KEY))),
            ("CKO_DATA", [Attribute(CKA_CLASS, CKO_DATA), Attribute(CKA_TOKEN, false)]),
        ]
        return [
            attack("unwrap as a readable or extractable key", unwraps(loose)),
            attack("unwrap as a key that does more than sign", unwraps(uses)),
            attack(
                "unwrap as a modifiable key and loosen it",
                [
                    (
                        "CKA_DECRYPT",
                        { () throws(Refusal) -> String? in
                            let modifiable = honest.without(CKA_MODIFIABLE) + [Attribute(CKA_MODIFIABLE, true)]
                            let made = try session.unwrap(key.mechanism, by: wrappingKey, key.blob, modifiable)
                            // Whatever the module answers here, the key that it made is what counts.
                            try? session.set(made, [Attribute(CKA_DECRYPT, true)])
                            return attacker.looseness(ofNew: made)
                        }
                    )
                ]),
            attack("unwrap as a secret", unwraps(secrets)),
            attack(
                "unwrap as an object of the token", unwraps([("CKA_TOKEN", honest.with(Attribute(CKA_TOKEN, true)))])),
            attack(
                "unwrap as a key without login", unwraps([("CKA_PRIVATE", honest.with(Attribute(CKA_PRIVATE, false)))])),
            attack(
                "unwrap the blob by another mechanism",
                Self.ciphers.flatMap { cipher in
                    [
                        ("as a secret", ProbeTemplates.readableSecret(CKK_GENERIC_SECRET)), ("as it was", honest),
                    ].map { name, template in
                        (
                            "\(cipher.name) \(name)",
                            { () throws(Refusal) -> String? in
                                let made = try session.unwrap(cipher.mechanism, by: wrappingKey, key.blob, template)
                                session.destroy(made)
                                return "a key was made"
                            }
                        )
                    }
                }),
            attack(
                "unwrap an altered blob",
                [0, 7, key.blob.count / 2, key.blob.count - 1].map { index in
                    (
                        "byte \(index)",
                        { () throws(Refusal) -> String? in
                            var altered = key.blob
                            altered[index] ^= 1
                            session.destroy(try session.unwrap(key.mechanism, by: wrappingKey, altered, honest))
                            return "a key was made"
                        }
                    )
                }),
        ]
    }

    private func unwraps(_ templates: [(String, [Attribute])]) -> [Attacker.Try] {
        templates.map { name, template in
            (
                name,
                { () throws(Refusal) -> String? in
                    let made = try session.unwrap(key.mechanism, by: wrappingKey, key.blob, template)
                    return attacker.looseness(ofNew: made)
                }
            )
        }
    }

    private func onHolderKey() -> [ProbeReport.Attack] {
        let loosened: [(name: String, type: UInt, value: Bool)] = [
            ("CKA_SENSITIVE", CKA_SENSITIVE, false), ("CKA_EXTRACTABLE", CKA_EXTRACTABLE, true),
            ("CKA_DECRYPT", CKA_DECRYPT, true), ("CKA_DERIVE", CKA_DERIVE, true),
        ]
        let freed = [("CKA_WRAP_WITH_TRUSTED", CKA_WRAP_WITH_TRUSTED, false), ("CKA_SENSITIVE", CKA_SENSITIVE, false)]
        return [
            attack("read a generated key", attacker.reads(key.generated)),
            attack("read an unwrapped key", attacker.reads(key.unwrapped)),
            attack("wrap a generated key under a known key", attacker.knownWraps(key.generated)),
            attack("wrap an unwrapped key under a known key", attacker.knownWraps(key.unwrapped)),
            attack(
                "wrap a key so that its blob can be altered",
                Self.ciphers.map { name, mechanism in
                    (
                        name,
                        { () throws(Refusal) -> String? in
                            let blob = try session.wrap(mechanism, by: wrappingKey, key.generated)
                            // One key stream for two keys gives both away; a block mode only what can be put back.
                            if mechanism != CKM_AES_CTR && mechanism != CKM_AES_GCM {
                                let honest = ProbeTemplates.unwrapped(key.kind.number)
                                session.destroy(try session.unwrap(mechanism, by: wrappingKey, blob, honest))
                            }
                            return "\(blob.count) bytes"
                        }
                    )
                }),
            attack("free a generated key from its trusted wrapping key", attacker.sets(key.generated, freed)),
            attack("copy a generated key without its trusted wrapping key", attacker.copies(key.generated, freed)),
            attack("loosen an unwrapped key", attacker.sets(key.unwrapped, loosened)),
            attack("copy an unwrapped key loosened", attacker.copies(key.unwrapped, loosened)),
        ]
    }

    private func onTrust() -> [ProbeReport.Attack] {
        let trusted = Attribute(CKA_TRUSTED, true)
        let generated = ProbeTemplates.knownKey.without(CKA_VALUE) + [Attribute(CKA_VALUE_LEN, UInt(32)), trusted]
        func isTrusted(_ made: UInt) -> String? {
            defer { session.destroy(made) }
            return session.flag(CKA_TRUSTED, of: made) == true ? "the user's key is trusted" : nil
        }
        return [
            attack(
                "make a trusted key as the user",
                [
                    (
                        "C_CreateObject",
                        { () throws(Refusal) -> String? in
                            isTrusted(try session.create(ProbeTemplates.knownKey + [trusted]))
                        }
                    ),
                    (
                        "C_CreateObject, public",
                        { () throws(Refusal) -> String? in
                            isTrusted(try session.create(Attacker.knownPublicKey + [trusted]))
                        }
                    ),
                    (
                        "C_GenerateKey",
                        { () throws(Refusal) -> String? in
                            isTrusted(try session.generateKey(CKM_AES_KEY_GEN, generated))
                        }
                    ),
                    (
                        "C_SetAttributeValue",
                        { () throws(Refusal) -> String? in
                            let known = try attacker.knownKey()
                            do throws(Refusal) { try session.set(known, [trusted]) } catch {
                                session.destroy(known)
                                throw error
                            }
                            return isTrusted(known)
                        }
                    ),
                    (
                        "C_CopyObject",
                        { () throws(Refusal) -> String? in
                            let known = try attacker.knownKey()
                            defer { session.destroy(known) }
                            return isTrusted(try session.copy(known, [Attribute(CKA_TOKEN, false), trusted]))
                        }
                    ),
                ])
        ]
    }
}

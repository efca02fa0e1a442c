import CPKCS11

/// What the attacks on both custodies share: a session of the user's, and how an answer is judged.
struct Attacker {
    let session: BareSession

    /// One try of an attack: what it changes, and what came of it; nil where the module said yes and kept the key safe.
    typealias Try = (name: String, body: () throws(Refusal) -> String?)

    /// Makes every try; the first that succeeds decides, then the first that judged nothing.
    func attack(_ custody: ProbeReport.Custody, _ name: String, _ tries: [Try]) -> ProbeReport.Attack {
        var answers: [String] = []
        var unjudged: String?
        for each in tries {
            do throws(Refusal) {
                if let success = try each.body() {
                    let words = each.name.isEmpty ? success : "\(each.name): \(success)"
                    return ProbeReport.Attack(custody: custody, name: name, result: .succeeded(words))
                }
                if !answers.contains("without effect") { answers.append("without effect") }
            } catch {
                if !error.isJudgement { unjudged = unjudged ?? "\(each.name): \(error.words)" }
                if !answers.contains(error.fault.name) { answers.append(error.fault.name) }
            }
        }
        if let unjudged { return ProbeReport.Attack(custody: custody, name: name, result: .notTried(unjudged)) }
        return ProbeReport.Attack(
            custody: custody, name: name, result: .refused(answers.joined(separator: ", ")))
    }

    /// What `object`, which is destroyed, lets its user do that a holder's key must not; nil where nothing.
    func looseness(ofNew object: UInt) -> String? {
        defer { session.destroy(object) }
        return looseness(of: object)
    }

    /// What `object` lets its user do that a holder's key must not.
    ///
    /// What the module does not tell is not safe.
    func looseness(of object: UInt, isToken: Bool = false) -> String? {
        if let readable = readableValue(of: object) { return readable }
        for (type, safe, words) in [
            (CKA_SENSITIVE, true, "the value is not sensitive"), (CKA_EXTRACTABLE, false, "the key is extractable"),
            (CKA_PRIVATE, true, "the key needs no login"), (CKA_TOKEN, isToken, "the key stays in the token"),
        ] where session.flag(type, of: object) != safe {
            return words
        }
        for (type, words) in [
            (CKA_DECRYPT, "the key decrypts"), (CKA_DERIVE, "the key derives"), (CKA_UNWRAP, "the key unwraps"),
            (CKA_SIGN_RECOVER, "the key signs with recovery"),
        ] where session.flag(type, of: object) == true {
            return words
        }
        return nil
    }

    /// Which secret of `object` the module hands out; nil where none.
    func readableValue(of object: UInt) -> String? {
        for type in ProbeTemplates.secrets {
            if let value = try? session.value(type, of: object), !value.isEmpty { return "the value can be read" }
        }
        return nil
    }

    /// Tries to read every secret attribute of `object`.
    func reads(_ object: UInt) -> [Try] {
        ProbeTemplates.secrets.map { type in
            (
                "",
                { () throws(Refusal) -> String? in
                    try session.value(type, of: object).isEmpty
                        ? nil : "attribute 0x\(String(type, radix: 16)) was given"
                }
            )
        }
    }

    /// Tries to set a flag of `object`; put back where that succeeds.
    func sets(_ object: UInt, _ flags: [(name: String, type: UInt, value: Bool)]) -> [Try] {
        flags.map { flag in
            (
                flag.name,
                { () throws(Refusal) -> String? in
                    try session.set(object, [Attribute(flag.type, flag.value)])
                    guard session.flag(flag.type, of: object) == flag.value else { return nil }
                    try? session.set(object, [Attribute(flag.type, !flag.value)])
                    return "it was set"
                }
            )
        }
    }

    /// Tries to copy `object` into something looser.
    func copies(
        _ object: UInt, _ flags: [(name: String, type: UInt, value: Bool)]
    ) -> [Try] {
        flags.map { flag in
            (
                flag.name,
                { () throws(Refusal) -> String? in
                    let copy = try session.copy(
                        object, [Attribute(CKA_TOKEN, false)].with(Attribute(flag.type, flag.value)))
                    defer { session.destroy(copy) }
                    return session.flag(flag.type, of: copy) == flag.value ? "a copy has it" : nil
                }
            )
        }
    }

    /// Tries to wrap `key` under keys whose values the attacker knows.
    func knownWraps(_ key: UInt) -> [Try] {
        let symmetric: [(String, UInt)] = [
            ("CKM_AES_KEY_WRAP_PAD", CKM_AES_KEY_WRAP_PAD), ("CKM_AES_KEY_WRAP", CKM_AES_KEY_WRAP),
            ("CKM_AES_CBC_PAD", CKM_AES_CBC_PAD), ("CKM_AES_CBC", CKM_AES_CBC), ("CKM_AES_ECB", CKM_AES_ECB),
            ("CKM_AES_GCM", CKM_AES_GCM),
        ]
        return symmetric.map { name, mechanism in
            (
                name,
                { () throws(Refusal) -> String? in
                    let known = try knownKey()
                    defer { session.destroy(known) }
                    return "\(try session.wrap(mechanism, by: known, key).count) bytes under a key of the user's own"
                }
            )
        }
            + [("CKM_RSA_PKCS", CKM_RSA_PKCS), ("CKM_RSA_PKCS_OAEP", CKM_RSA_PKCS_OAEP)].map { name, mechanism in
                (
                    name,
                    { () throws(Refusal) -> String? in
                        let known = try session.create(Self.knownPublicKey)
                        defer { session.destroy(known) }
                        return
                            "\(try session.wrap(mechanism, by: known, key).count) bytes under a public key of the user's"
                    }
                )
            }
    }

    /// A wrapping key of the attacker's: of a known value, or where none can be imported one that also decrypts.
    func knownKey() throws(Refusal) -> UInt {
        do throws(Refusal) { return try session.create(ProbeTemplates.knownKey) } catch {
            return try session.generateKey(
                CKM_AES_KEY_GEN, ProbeTemplates.knownKey.without(CKA_VALUE) + [Attribute(CKA_VALUE_LEN, UInt(32))])
        }
    }

    /// An RSA public key whose private half anyone may hold; no module factors a modulus before it encrypts.
    static let knownPublicKey: [Attribute] = [
        Attribute(CKA_CLASS, CKO_PUBLIC_KEY), Attribute(CKA_KEY_TYPE, CKK_RSA), Attribute(CKA_TOKEN, false),
        Attribute(CKA_PRIVATE, false), Attribute(CKA_WRAP, true), Attribute(CKA_ENCRYPT, true),
        Attribute(CKA_MODULUS, [UInt8](repeating: 0xC5, count: 256)),
        Attribute(CKA_PUBLIC_EXPONENT, [1, 0, 1] as [UInt8]),
    ]
}

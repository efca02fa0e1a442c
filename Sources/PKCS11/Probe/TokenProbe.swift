import CPKCS11
internal import Glibc
internal import HPKI

/// The probe of one token, call after call on one thread.
struct TokenProbe {
    let functions: Functions
    let label: String
    let keyTypes: [KeyType]

    func run(pin: PIN, officerPIN: PIN?) throws(PKCS11Error) -> ProbeReport {
        var report = ProbeReport(module: try moduleInfo())
        let (slot, info) = try findToken()
        report.token = facts(of: info)
        report.mechanisms = mechanisms(of: slot)
        do throws(Refusal) {
            let name = try randomName(slot: slot)
            var made: (key: String?, refusal: Refusal?) = (nil, nil)
            if let officerPIN { made = try makeWrappingKey(slot: slot, officerPIN: officerPIN, name: name) }
            defer { if let officerPIN, made.key != nil { removeWrappingKey(slot: slot, officerPIN: officerPIN, name) } }
            let session = try BareSession.open(functions, slot: slot)
            defer {
                session.logout()
                session.close()
            }
            _ = try session.login(CKU_USER, pin)
            KeyTypeProbe(session: session, kinds: keyTypes).run(into: &report)
            probeWrapped(session, name: name, made: made, hasOfficer: officerPIN != nil, into: &report)
            ResidentProbe(session: session).run(into: &report)
            SessionProbe(session: session).run(into: &report)
        } catch {
            throw ReturnValue.error(error.fault.function, error.fault.code)
        }
        return report
    }

    // MARK: The wrapping key

    private func randomName(slot: UInt) throws(Refusal) -> [UInt8] {
        let session = try BareSession.open(functions, slot: slot)
        defer { session.close() }
        // A token without a generator of its own gets a name that is at least not another process's.
        let bytes = (try? session.random(8)) ?? Array("\(getpid())".utf8)
        return Array("shirushi-probe-".utf8) + bytes.flatMap { Array(String($0, radix: 16).utf8) }
    }

    /// Makes the wrapping key that wrapped custody asks for; the best that the module makes instead is made later.
    private func makeWrappingKey(
        slot: UInt, officerPIN: PIN, name: [UInt8]
    ) throws(Refusal) -> (key: String?, refusal: Refusal?) {
        let session = try BareSession.open(functions, slot: slot)
        defer {
            session.logout()
            session.close()
        }
        _ = try session.login(CKU_SO, officerPIN)
        let full = ProbeTemplates.wrappingKey(label: String(decoding: name, as: UTF8.self), id: name)
        let ladder: [(name: String, template: [Attribute])] = [
            ("trusted, with an unwrap template", full),
            ("trusted, without an unwrap template", full.without(CKA_UNWRAP_TEMPLATE)),
            ("untrusted, with an unwrap template", full.without(CKA_TRUSTED)),
        ]
        var first: Refusal?
        for rung in ladder {
            do throws(Refusal) {
                let key = try session.generateKey(CKM_AES_KEY_GEN, rung.template)
                guard first != nil || session.flag(CKA_TRUSTED, of: key) == true else {
                    session.destroy(key)
                    throw Refusal(fault: PKCS11Fault(function: "CKA_TRUSTED", code: CKR_ATTRIBUTE_VALUE_INVALID))
                }
                return (rung.name, first)
            } catch {
                first = first ?? error
            }
        }
        return (nil, first)
    }

    private func removeWrappingKey(slot: UInt, officerPIN: PIN, _ name: [UInt8]) {
        guard let session = try? BareSession.open(functions, slot: slot) else { return }
        defer {
            session.logout()
            session.close()
        }
        guard (try? session.login(CKU_SO, officerPIN)) != nil else { return }
        if let key = try? session.find([Attribute(CKA_ID, name)]) { session.destroy(key) }
    }

    private func probeWrapped(
        _ session: BareSession, name: [UInt8], made: (key: String?, refusal: Refusal?), hasOfficer: Bool,
        into report: inout ProbeReport
    ) {
        let obstacle = hasOfficer ? made.refusal?.words : "no officer's PIN was given"
        report.steps.append(
            ProbeReport.Step(
                custody: .wrapped, name: "make a trusted wrapping key with an unwrap template, as the officer",
                obstacle: obstacle))
        var wrappingKey = made.key == nil ? nil : (try? session.find([Attribute(CKA_ID, name)])) ?? nil
        report.wrappingKey = made.key ?? "none"
        if wrappingKey == nil {
            // What the user alone can make shows what the module would do with a blob.
            let plain = ProbeTemplates.wrappingKey(label: "", id: name)
                .without(CKA_TRUSTED, CKA_UNWRAP_TEMPLATE, CKA_LABEL, CKA_MODIFIABLE, CKA_COPYABLE)
                .with(Attribute(CKA_TOKEN, false), Attribute(CKA_PRIVATE, true))
            wrappingKey = try? session.generateKey(CKM_AES_KEY_GEN, plain)
            report.wrappingKey = wrappingKey == nil ? "none" : "the user's own: neither trusted nor with a template"
        }
        guard let wrappingKey else {
            report.attacks.append(
                ProbeReport.Attack(custody: .wrapped, name: "all", result: .notTried("no wrapping key can be made")))
            return
        }
        defer { session.destroy(wrappingKey) }
        for kind in [KeyType.p256, .rsa2048] {
            let key = WrappedKey.make(kind, session, wrappingKey: wrappingKey, steps: &report.steps)
            guard let key else {
                report.attacks.append(
                    ProbeReport.Attack(
                        custody: .wrapped, name: "all (\(kind.rawValue))",
                        result: .notTried("there is no blob to attack")))
                continue
            }
            let attacks = WrappedAttacks(
                attacker: Attacker(session: session), wrappingKey: wrappingKey, key: key, isScratch: true)
            report.attacks += attacks.all().map {
                ProbeReport.Attack(custody: $0.custody, name: "\($0.name) (\(kind.rawValue))", result: $0.result)
            }
            UnwrapProbe(session: session, wrappingKey: wrappingKey, key: key).run(into: &report)
            key.destroy(in: session)
        }
    }

    // MARK: What the module says of itself

    private func moduleInfo() throws(PKCS11Error) -> ModuleInfo {
        var info = CK_INFO()
        try check("C_GetInfo", unsafe shirushi_get_info(functions.list, &info))
        return ModuleInfo(
            manufacturer: fixedText(info.manufacturerID), library: fixedText(info.libraryDescription),
            version: "\(info.libraryVersion.major).\(info.libraryVersion.minor)")
    }

    private func findToken() throws(PKCS11Error) -> (slot: UInt, info: CK_TOKEN_INFO) {
        var slots: [UInt] = []
        try unsafe functions.fill("C_GetSlotList", &slots) { functions, start, count in
            unsafe shirushi_get_slot_list(functions, start, count)
        }
        var found: [(UInt, CK_TOKEN_INFO)] = []
        var others: [String] = []
        for slot in slots {
            var info = CK_TOKEN_INFO()
            guard unsafe shirushi_get_token_info(functions.list, slot, &info) == CKR_OK else { continue }
            guard info.flags & CKF_TOKEN_INITIALIZED != 0 else { continue }
            guard fixedText(info.label) == label else {
                others.append(fixedText(info.label))
                continue
            }
            found.append((slot, info))
        }
        guard let first = found.first else { throw .tokenNotFound(label: label, others: others) }
        guard found.count == 1 else { throw .tokenAmbiguous(label: label) }
        return first
    }

    private func facts(of info: CK_TOKEN_INFO) -> [ProbeReport.Fact] {
        func sessions(_ count: UInt) -> String {
            // CK_EFFECTIVELY_INFINITE and CK_UNAVAILABLE_INFORMATION (PKCS#11 v2.40 §3.2), which opencryptoki misses by one.
            count == 0 ? "no limit" : count >= UInt.max - 1 ? "not told" : "\(count)"
        }
        return [
            ("label", fixedText(info.label)), ("manufacturer", fixedText(info.manufacturerID)),
            ("model", fixedText(info.model)), ("serial", fixedText(info.serialNumber)),
            ("hardware", "\(info.hardwareVersion.major).\(info.hardwareVersion.minor)"),
            ("firmware", "\(info.firmwareVersion.major).\(info.firmwareVersion.minor)"),
            ("sessions", sessions(info.ulMaxSessionCount)), ("writable sessions", sessions(info.ulMaxRwSessionCount)),
            ("PIN length", "\(info.ulMinPinLen)–\(info.ulMaxPinLen)"),
        ].map { ProbeReport.Fact(name: $0.0, value: $0.1) }
    }

    private static let named: [(type: UInt, name: String)] = [
        (CKM_RSA_PKCS_KEY_PAIR_GEN, "CKM_RSA_PKCS_KEY_PAIR_GEN"), (CKM_EC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN"),
        (CKM_RSA_PKCS, "CKM_RSA_PKCS"), (CKM_RSA_PKCS_PSS, "CKM_RSA_PKCS_PSS"), (CKM_ECDSA, "CKM_ECDSA"),
        (CKM_AES_KEY_GEN, "CKM_AES_KEY_GEN"), (CKM_AES_KEY_WRAP, "CKM_AES_KEY_WRAP"),
        (CKM_AES_KEY_WRAP_PAD, "CKM_AES_KEY_WRAP_PAD"), (CKM_AES_ECB, "CKM_AES_ECB"), (CKM_AES_CBC, "CKM_AES_CBC"),
        (CKM_AES_CBC_PAD, "CKM_AES_CBC_PAD"), (CKM_AES_CTR, "CKM_AES_CTR"), (CKM_AES_GCM, "CKM_AES_GCM"),
        (CKM_AES_ECB_ENCRYPT_DATA, "CKM_AES_ECB_ENCRYPT_DATA"),
    ]

    private func mechanisms(of slot: UInt) -> [ProbeReport.Mechanism] {
        Self.named.compactMap { type, name in
            var info = CK_MECHANISM_INFO()
            guard unsafe shirushi_probe_mechanism_info(functions.list, slot, type, &info) == CKR_OK else { return nil }
            return ProbeReport.Mechanism(name: name, smallestKey: info.ulMinKeySize, largestKey: info.ulMaxKeySize)
        }
    }
}

/// The text of a fixed field of bytes: UTF-8, padded with blanks.
private func fixedText<Field>(_ field: Field) -> String {
    unsafe withUnsafeBytes(of: field) { bytes in
        var content = unsafe bytes[...]
        while let last = unsafe content.last, last == 0x20 || last == 0 { unsafe content.removeLast() }
        return unsafe String(decoding: content, as: UTF8.self)
    }
}

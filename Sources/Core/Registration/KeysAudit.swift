import Audit
import CoreProtocol
import HPKI
import Identity
import Keys
import PKCS11
import Storage

/// Compares what the token holds with the registry, and the registry with the log.
struct KeysAudit: Sendable {
    let database: Database
    let custody: KeyCustody
    let epochs: Epochs

    /// Lists every private and secret object and judges it; with `rows`, every row of the registry too.
    func run(rows: Bool) async throws(Failure) -> KeysReport {
        var report = Findings()
        let objects = try await objects()
        let resident = try await read { try CredentialStore.residentKeys(in: $0) }
        for object in objects.privateKeys { judge(object, resident, &report) }
        let found = Set(objects.privateKeys.filter { $0.attributes.isToken != false }.map(\.id))
        for (id, credential) in resident where !found.contains(id) {
            report.fault("credential \(credential): its key is not in the token")
        }
        for object in objects.secretKeys { judge(object, &report) }
        for epoch in epochs.all where epoch.state != .retired {
            if !objects.secretKeys.contains(where: { $0.id == epoch.keyID }) {
                report.fault("epoch \(epoch.epoch): its wrapping key is not in the token")
            }
        }
        if rows {
            try await checkSeals(&report)
            try await checkLog(&report)
            try await checkRows(&report)
        }
        return KeysReport(
            objects: report.objects, faults: report.faults, keys: report.keys, records: report.records,
            erased: report.erased)
    }

    struct Findings {
        var objects: [String] = []
        var faults: [String] = []
        var keys: UInt64 = 0
        var records: UInt64 = 0
        var erased: UInt64 = 0

        mutating func fault(_ text: String) {
            // One tells that something is wrong; a thousand tell no more.
            if faults.count < 1000 { faults.append(text) }
        }
    }

    // MARK: The token

    private func objects() async throws(Failure) -> (privateKeys: [KeyObject], secretKeys: [KeyObject]) {
        do {
            return try await custody.listObjects()
        } catch { throw error.failure }
    }

    private func judge(_ object: KeyObject, _ resident: [[UInt8]: CredentialID], _ report: inout Findings) {
        let name = "private key \(Hex.encode(object.id)) \"\(object.label)\""
        report.objects.append("\(name): \(object.attributes.text)")
        guard object.attributes.isToken != false else {
            // A copy unwrapped for use, or a pair at the moment of its making.
            let isBeingMade = object.attributes.isExtractable == true && object.attributes.wrapWithTrusted == true
            if object.attributes.isSensitive != true || (object.attributes.isExtractable != false && !isBeingMade) {
                report.fault("\(name): a session object that can be read or extracted")
            }
            return
        }
        guard let credential = resident[object.id] else {
            return report.fault("\(name): a stray object, which no credential knows")
        }
        if !object.attributes.isConfined { report.fault("\(name) of \(credential): readable or extractable") }
        if !object.attributes.signsOnly { report.fault("\(name) of \(credential): does more than sign") }
    }

    private func judge(_ object: KeyObject, _ report: inout Findings) {
        let name = "secret key \(Hex.encode(object.id)) \"\(object.label)\""
        report.objects.append("\(name): \(object.attributes.text)")
        if let epoch = epochs.all.first(where: { $0.keyID == object.id }) {
            if epoch.state == .retired { report.fault("\(name): the wrapping key of the retired epoch \(epoch.epoch)") }
            if !object.isSoundWrappingKey { report.fault("\(name): a wrapping key that may do more than it must") }
            return
        }
        let isRotating = epochs.all.contains {
            $0.state == .retiring && object.label == WrappingLabel.rotation($0.epoch)
        }
        if isRotating, object.isSoundRotationKey { return }
        report.fault("\(name): a stray object, which no epoch knows")
    }

    // MARK: The registry

    /// Every wrapped key is sealed for the place where it stands.
    private func checkSeals(_ report: inout Findings) async throws(Failure) {
        var after = ""
        while true {
            let from = after
            let page = try await read { connection in
                try connection.query(
                    "SELECT credential FROM key_material WHERE epoch IS NOT NULL AND credential > $1 ORDER BY credential LIMIT 500",
                    [.text(from)]
                ).map { try $0.text("credential") }
            }
            guard let last = page.last else { return }
            after = last
            let broken = try await read { connection in
                try page.compactMap { name -> String? in
                    guard let id = CredentialID(name),
                        let (record, _, material) = try CredentialStore.audited(id, in: connection)
                    else { return "the key of \(name) belongs to no credential" }
                    guard case .wrapped(let wrapped)? = material else { return nil }
                    if record.state == .destructionPending || record.state == .destroyed {
                        return "credential \(name): its key is here, although it was deleted"
                    }
                    // A key that was ordered and not yet recorded has no public key here; its next order makes another.
                    guard let publicKey = record.publicKey else {
                        return record.state == .requested ? nil : "credential \(name) has no public key"
                    }
                    let binding = KeyBinding(
                        credential: id, holder: record.holder, keyType: record.keyType, publicKey: publicKey)
                    return custody.holds(wrapped, for: binding)
                        ? nil : "credential \(name): its key was moved or altered"
                }
            }
            report.keys += UInt64(page.count)
            for fault in broken { report.fault(fault) }
        }
    }

    func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(Failure) -> Value {
        do { return try await database.read(work) } catch {
            throw Failure(.coreUnavailable, "The registry cannot be read.", retryAfter: 5, cause: "\(error)")
        }
    }
}

extension KeyAttributes {
    /// The attributes that matter, in words.
    fileprivate var text: String {
        let words: [(String, Bool?)] = [
            ("token", isToken), ("private", isPrivate), ("sensitive", isSensitive), ("extractable", isExtractable),
            ("trusted", isTrusted), ("sign", canSign), ("decrypt", canDecrypt), ("wrap", canWrap),
            ("unwrap", canUnwrap), ("derive", canDerive), ("modifiable", isModifiable), ("copyable", isCopyable),
        ]
        return words.map { "\($0.1 == true ? "" : $0.1 == false ? "not " : "perhaps ")\($0.0)" }
            .joined(separator: ", ")
    }
}

package import HPKI
package import Host

/// The work of two officers on an instance's custody: what is random is made, sealed for any two of them, put into
/// the token, and signed for.
///
/// Each step is on the disk before the next begins, and each ceremony may be begun again after a fault: an envelope
/// that no protocol speaks of yet is opened and used instead of making another secret.
package struct Ceremony: Sendable {
    package let folder: CustodyFolder
    package let present: PresentOfficers
    /// The name of the instance's audit log.
    let instance: String
    let clock: WallClock
    let random: Random
    /// Told what happens, for the people who watch.
    let say: @Sendable (String) -> Void

    /// A ceremony of the officers who are present.
    package init(
        _ folder: CustodyFolder, present: PresentOfficers, instance: String, clock: WallClock, random: Random,
        say: @escaping @Sendable (String) -> Void
    ) {
        self.folder = folder
        self.present = present
        self.instance = instance
        self.clock = clock
        self.random = random
        self.say = say
    }

    /// Registers the officers who are present; throws `.otherRegister` where others are.
    package func register() throws(CeremonyError) {
        try folder.make()
        try folder.save(try present.register)
        let register = try folder.register()
        for officer in register.officers { say("officer \(officer.name), fingerprint \(officer.fingerprint)") }
    }

    /// The register, with everyone present in it.
    func knownRegister() throws(CeremonyError) -> OfficerRegister {
        let register = try folder.register()
        try present.check(against: register)
        return register
    }

    /// The protocols so far, once everyone present is known to be registered.
    package func knownProtocols() throws(CeremonyError) -> [CeremonyProtocol] {
        _ = try knownRegister()
        return try folder.protocols()
    }

    // MARK: The security officer's PIN

    /// The PIN for the next token that is initialised, sealed before it is used: 32 hexadecimal digits, or the one
    /// given where a token has one already.
    package func officerPINForNewToken(
        existing: LockedBytes? = nil
    ) throws(CeremonyError) -> (pin: LockedBytes, label: String) {
        let register = try knownRegister()
        let used = Set(try folder.protocols().compactMap(\.record.token?.officerPIN))
        var number = 1
        while used.contains("officer-pin-\(number)") { number += 1 }
        let label = "officer-pin-\(number)"
        if let existing, try folder.envelope(label) != nil {
            // Given anew, perhaps because the first was wrong: no protocol speaks of that one.
            let file = folder.envelopeFolder + "/\(label).json"
            try hosted { () throws(HostError) in try Files.remove(file) }
            try folder.save(try Envelope.seal(existing, label: label, for: register))
            return (existing, label)
        }
        if let kept = try folder.envelope(label) {
            say("taking the PIN of the envelope `\(label)`, which an unfinished ceremony left")
            return (try kept.open(by: present), label)
        }
        let pin: LockedBytes
        if let existing {
            pin = existing
        } else {
            var bytes = Array(Hex.encode(random.bytes(16)).utf8)
            defer { bytes.erase() }
            pin = LockedBytes(bytes)
        }
        try folder.save(try Envelope.seal(pin, label: label, for: register))
        say("sealed the security officer's PIN in the envelope `\(label)`")
        return (pin, label)
    }

    /// The PIN that a ceremony sealed, and perhaps set, before a fault ended it; nil where none did.
    package func officerPINOfUnfinishedCeremony() throws(CeremonyError) -> (pin: LockedBytes, label: String)? {
        let used = Set(try folder.protocols().compactMap(\.record.token?.officerPIN))
        var number = 1
        while used.contains("officer-pin-\(number)") { number += 1 }
        let label = "officer-pin-\(number)"
        return try folder.envelope(label).map { (envelope) throws(CeremonyError) in
            (try envelope.open(by: present), label)
        }
    }

    /// Removes the envelope of a PIN that the token refused; throws `.outOfOrder` for one that officers signed for.
    package func discardOfficerPIN(_ label: String) throws(CeremonyError) {
        guard try !folder.protocols().contains(where: { $0.record.token?.officerPIN == label }) else {
            throw .outOfOrder("the officers signed for the envelope `\(label)`, so it stays")
        }
        try hosted { () throws(HostError) in try Files.remove("\(folder.envelopeFolder)/\(label).json") }
    }

    /// The PIN of a token that a protocol names; throws `.outOfOrder` for a strange token.
    package func officerPIN(tokenSerial serial: String) throws(CeremonyError) -> (pin: LockedBytes, label: String) {
        _ = try knownRegister()
        let records = try folder.protocols().map(\.record)
        guard let record = records.last(where: { $0.token?.serial == serial }), let token = record.token else {
            throw .outOfOrder("no protocol speaks of the token with the serial number \(serial)")
        }
        let pin = try value(of: token.officerPIN, among: records)
        return (pin, token.officerPIN)
    }

    // MARK: Wrapping keys

    /// Makes the wrapping key of epoch 1, and the key that signs backups in the file named; throws `.outOfOrder`
    /// where the instance has an epoch already.
    package func initialise(
        _ token: some CeremonyToken, officerPIN label: String, kind: WrappingKeyKind, backupKeyFile: String
    ) async throws -> CeremonyResult {
        let register = try knownRegister()
        guard try EpochRecord.all(in: folder.protocols()).isEmpty else {
            throw CeremonyError.outOfOrder(
                "the instance has a wrapping key already; a new epoch begins with: shirushi hsm epoch")
        }
        let made = try await makeWrappingKey(epoch: 1, kind, in: token, register)
        let backupKey = try BackupKey.make(at: backupKeyFile)
        return try finish(
            .initialise, token, officerPIN: label, keys: [made.key], envelopes: made.envelopes,
            backupKey: HexBytes(backupKey.publicKey)
        )
    }

    /// Makes the wrapping key of the next epoch, and the rotation key that opens what the last one wrapped.
    package func nextEpoch(
        _ token: some CeremonyToken, officerPIN label: String, kind: WrappingKeyKind
    ) async throws -> CeremonyResult {
        let register = try knownRegister()
        let records = try folder.protocols()
        guard let last = EpochRecord.all(in: records).last else {
            throw CeremonyError.outOfOrder("the instance has no wrapping key yet: shirushi hsm init")
        }
        guard last.kind == .imported else {
            throw CeremonyError.outOfOrder(
                """
                the wrapping key of epoch \(last.epoch) was generated inside the HSM, so nobody can give its value to \
                a rotation key; its keys cannot be wrapped anew here
                """
            )
        }
        let value = try wrappingValue(last, among: records.map(\.record))
        let rotation = CeremonyRecord.Key(
            act: .made, role: .rotation, epoch: last.epoch, kind: .imported,
            label: WrappingLabel.rotation(Int64(last.epoch)), id: HexBytes(Self.rotationID(of: last.keyID)),
            checkValue: last.checkValue.map { HexBytes($0) }
        )
        say("importing the rotation key of epoch \(last.epoch)")
        try await token.destroy(id: rotation.id.bytes)
        try await token.importRotationKey(value, label: rotation.label, id: rotation.id.bytes)
        let made = try await makeWrappingKey(epoch: last.epoch + 1, kind, in: token, register)
        return try finish(
            .epoch, token, officerPIN: label, keys: [rotation, made.key], envelopes: made.envelopes)
    }

    /// Destroys the wrapping key and the rotation key of an epoch that no key is wrapped under any more.
    ///
    /// Its envelope stays until backups that need it have expired; whoever calls this has looked at the registry.
    package func retire(
        epoch: Int, _ token: some CeremonyToken, officerPIN label: String
    ) async throws -> CeremonyResult {
        _ = try knownRegister()
        let epochs = EpochRecord.all(in: try folder.protocols())
        guard let old = epochs.first(where: { $0.epoch == epoch }), !old.isRetired else {
            throw CeremonyError.outOfOrder("there is no epoch \(epoch) to retire")
        }
        guard epoch != epochs.last?.epoch else {
            throw CeremonyError.outOfOrder("epoch \(epoch) is in use; begin another first: shirushi hsm epoch")
        }
        let rotationID = Self.rotationID(of: old.keyID)
        say("destroying the wrapping key and the rotation key of epoch \(epoch)")
        try await token.destroy(id: old.keyID)
        try await token.destroy(id: rotationID)
        let keys = [
            CeremonyRecord.Key(
                act: .destroyed, role: .wrapping, epoch: epoch, kind: old.kind,
                label: WrappingLabel.wrapping(Int64(epoch)),
                id: HexBytes(old.keyID), checkValue: old.checkValue.map { HexBytes($0) }),
            CeremonyRecord.Key(
                act: .destroyed, role: .rotation, epoch: epoch, kind: old.kind,
                label: WrappingLabel.rotation(Int64(epoch)),
                id: HexBytes(rotationID), checkValue: old.checkValue.map { HexBytes($0) }),
        ]
        let file = try append(.retire, token.facts, officerPIN: label, keys: keys)
        return CeremonyResult(
            epoch: epoch, keyID: old.keyID, checkValue: old.checkValue, kind: old.kind, protocolFile: file)
    }

    /// Puts the wrapping key of every epoch in use into another token, under its old `CKA_ID`.
    ///
    /// Throws `.outOfOrder` where one was generated inside the HSM, before anything is imported.
    package func restore(
        into token: some CeremonyToken, officerPIN label: String
    ) async throws -> [CeremonyResult] {
        _ = try knownRegister()
        let protocols = try folder.protocols()
        let epochs = EpochRecord.all(in: protocols).filter { !$0.isRetired }
        guard !epochs.isEmpty else { throw CeremonyError.outOfOrder("the instance has no wrapping key to restore") }
        if let lost = epochs.first(where: { $0.kind == .generated }) {
            throw CeremonyError.outOfOrder(
                "the wrapping key of epoch \(lost.epoch) was generated inside the HSM: restore it by the HSM's own means"
            )
        }
        let records = protocols.map(\.record)
        // All values are opened and compared first, so that a token gets all of them or none.
        var values: [LockedBytes] = []
        for epoch in epochs { values.append(try wrappingValue(epoch, among: records)) }
        var keys: [CeremonyRecord.Key] = []
        for (epoch, value) in zip(epochs, values) {
            say("importing the wrapping key of epoch \(epoch.epoch)")
            try await token.destroy(id: epoch.keyID)
            try await token.importWrappingKey(value, label: WrappingLabel.wrapping(Int64(epoch.epoch)), id: epoch.keyID)
            keys.append(
                CeremonyRecord.Key(
                    act: .made, role: .wrapping, epoch: epoch.epoch, kind: .imported,
                    label: WrappingLabel.wrapping(Int64(epoch.epoch)), id: HexBytes(epoch.keyID),
                    checkValue: epoch.checkValue.map { HexBytes($0) })
            )
        }
        for (epoch, value) in zip(epochs, values).dropLast() {
            let id = Self.rotationID(of: epoch.keyID)
            try await token.destroy(id: id)
            try await token.importRotationKey(value, label: WrappingLabel.rotation(Int64(epoch.epoch)), id: id)
            keys.append(
                CeremonyRecord.Key(
                    act: .made, role: .rotation, epoch: epoch.epoch, kind: .imported,
                    label: WrappingLabel.rotation(Int64(epoch.epoch)), id: HexBytes(id),
                    checkValue: epoch.checkValue.map { HexBytes($0) })
            )
        }
        let file = try append(.restoreToken, token.facts, officerPIN: label, keys: keys)
        return epochs.map {
            CeremonyResult(
                epoch: $0.epoch, keyID: $0.keyID, checkValue: $0.checkValue, kind: $0.kind, protocolFile: file)
        }
    }
}

extension Ceremony {
    /// `CKA_ID` of the rotation key that has the value of the wrapping key `id`: 16 bytes that follow from it.
    static func rotationID(of id: [UInt8]) -> [UInt8] {
        Array(sha256(Array("shirushi/rotation-id/1".utf8) + id).prefix(16))
    }
}

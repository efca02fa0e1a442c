import HPKI
import Host

extension Ceremony {
    /// The value of an epoch's wrapping key, out of its envelope and compared with what was signed.
    func wrappingValue(
        _ epoch: EpochRecord, among records: [CeremonyRecord]
    ) throws(CeremonyError) -> LockedBytes {
        let value = try value(of: "wrapping-\(epoch.epoch)", among: records)
        var plain = value.copiedBytes
        defer { plain.erase() }
        guard let expected = epoch.checkValue, CheckValue.of(plain).bytes == expected else {
            throw .checkValueDiffers(label: "wrapping-\(epoch.epoch)")
        }
        return value
    }

    /// A secret whose check value a protocol holds: anyone can seal an envelope, but only officers sign.
    func value(of label: String, among records: [CeremonyRecord]) throws(CeremonyError) -> LockedBytes {
        guard let envelope = try folder.envelope(label) else {
            throw .outOfOrder("the envelope `\(label)` is missing from \(folder.envelopeFolder)")
        }
        let value = try envelope.open(by: present)
        var plain = value.copiedBytes
        defer { plain.erase() }
        guard let expected = records.last(where: { $0.envelopes[label] != nil })?.envelopes[label],
            CheckValue.of(plain) == expected
        else { throw .checkValueDiffers(label: label) }
        return value
    }

    func makeWrappingKey(
        epoch: Int, _ kind: WrappingKeyKind, in token: some CeremonyToken, _ register: OfficerRegister
    ) async throws -> (key: CeremonyRecord.Key, envelopes: [String: HexBytes]) {
        let label = WrappingLabel.wrapping(Int64(epoch))
        switch kind {
        case .generated:
            let id = random.bytes(16)
            say("having the token generate the wrapping key of epoch \(epoch); its value leaves no one's backup")
            try await token.generateWrappingKey(label: label, id: id)
            let key = CeremonyRecord.Key(
                act: .made, role: .wrapping, epoch: epoch, kind: kind, label: label, id: HexBytes(id),
                checkValue: nil)
            return (key, [:])
        case .imported:
            let (value, id) = try sealedValue("wrapping-\(epoch)", register)
            var plain = value.copiedBytes
            defer { plain.erase() }
            let check = CheckValue.of(plain)
            say("importing the wrapping key of epoch \(epoch), check value \(check)")
            // A ceremony that a fault ended may have left it.
            try await token.destroy(id: id)
            try await token.importWrappingKey(value, label: label, id: id)
            let key = CeremonyRecord.Key(
                act: .made, role: .wrapping, epoch: epoch, kind: kind, label: label, id: HexBytes(id),
                checkValue: check)
            return (key, ["wrapping-\(epoch)": check])
        }
    }

    /// A random value and `CKA_ID`, sealed before they are used; those of an unfinished ceremony where it left some.
    private func sealedValue(
        _ label: String, _ register: OfficerRegister
    ) throws(CeremonyError) -> (LockedBytes, [UInt8]) {
        if let kept = try folder.envelope(label), let id = kept.keyID {
            say("taking the value of the envelope `\(label)`, which an unfinished ceremony left")
            return (try kept.open(by: present), id.bytes)
        }
        var bytes = random.bytes(32)
        defer { bytes.erase() }
        let value = LockedBytes(bytes)
        let id = random.bytes(16)
        try folder.save(try Envelope.seal(value, label: label, keyID: id, for: register))
        say("sealed the value in the envelope `\(label)`: any two officers open it")
        return (value, id)
    }

    func finish(
        _ what: CeremonyRecord.What, _ token: some CeremonyToken, officerPIN label: String,
        keys: [CeremonyRecord.Key], envelopes: [String: HexBytes], backupKey: HexBytes? = nil
    ) throws(CeremonyError) -> CeremonyResult {
        let file = try append(
            what, token.facts, officerPIN: label, keys: keys, envelopes: envelopes, backupKey: backupKey)
        guard let made = keys.last(where: { $0.role == .wrapping }) else { throw .cryptography }
        return CeremonyResult(
            epoch: made.epoch, keyID: made.id.bytes, checkValue: made.checkValue?.bytes, kind: made.kind,
            protocolFile: file
        )
    }

    /// Has everyone present sign what was done, and writes it behind the protocols so far; gives the file.
    func append(
        _ what: CeremonyRecord.What, _ token: TokenFacts?, officerPIN label: String? = nil,
        keys: [CeremonyRecord.Key] = [], envelopes: [String: HexBytes] = [:], backupKey: HexBytes? = nil,
        archive: HexBytes? = nil
    ) throws(CeremonyError) -> String {
        let register = try knownRegister()
        let earlier = try folder.protocols()
        var envelopes = envelopes
        if let label, let envelope = try folder.envelope(label) {
            var pin = try envelope.open(by: present).copiedBytes
            defer { pin.erase() }
            envelopes[label] = CheckValue.of(pin)
        }
        guard let time = clock.now().rfc3339 else { throw .cryptography }
        let record = CeremonyRecord(
            version: 1, number: earlier.count + 1,
            previous: try earlier.last.map { (last) throws(CeremonyError) in HexBytes(sha256(try last.bytes)) },
            what: what, time: time, instance: instance, register: try register.digest,
            officers: present.officers.map {
                CeremonyRecord.Present(name: $0.identity.name, fingerprint: $0.identity.fingerprint)
            },
            token: token.map {
                CeremonyRecord.Token(
                    label: $0.label, serial: $0.serial, module: $0.module, officerPIN: label ?? "")
            },
            keys: keys, envelopes: envelopes, backupKey: backupKey, archive: archive
        )
        let bytes = try CeremonyProtocol(record, signedBy: present).bytes
        let name = time.filter { $0 != ":" && $0 != "-" }
        let file = "\(folder.protocolFolder)/\(name)-\(record.number)-\(what.rawValue).json"
        try hosted { () throws(HostError) in try Files.write(bytes, to: file, replacing: false) }
        say("signed by \(present.officers.map(\.identity.name).joined(separator: " and ")): \(file)")
        return file
    }
}

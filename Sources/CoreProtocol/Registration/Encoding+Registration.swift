internal import HPKI

extension RegistrationCommand {
    func write(to writer: inout WireWriter) {
        writer.text(requestID)
        switch party {
        case .authority(let certificate):
            writer.uint8(1)
            writer.data(certificate)
        case .operatorCommand(let authority, let proof):
            writer.uint8(2)
            writer.text(authority.description)
            writer.data(proof)
        }
        act.write(to: &writer)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let requestID = try reader.text(atMost: 64)
        let party: Party
        switch try reader.uint8() {
        case 1: party = .authority(certificate: try reader.data(atMost: RegistrationLimits.certificateBytes))
        case 2:
            guard let authority = AuthorityID(try reader.text(atMost: 64)) else { throw .invalidValue }
            party = .operatorCommand(authority: authority, proof: try reader.data(atMost: 64))
        default: throw .invalidValue
        }
        self.init(requestID: requestID, party: party, act: try Act(from: &reader))
    }
}

extension RegistrationCommand.Act {
    fileprivate func write(to writer: inout WireWriter) {
        switch self {
        case .putHolder(let record):
            writer.uint8(1)
            record.write(to: &writer)
        case .holder(let holder):
            writer.uint8(2)
            writer.text(holder.description)
        case .listHolders(let after, let limit):
            writer.uint8(3)
            writer.optional(after) { $0.text($1.description) }
            writer.integer(limit)
        case .requestKey(let order):
            writer.uint8(4)
            order.write(to: &writer)
        case .credential(let credential):
            writer.uint8(5)
            writer.text(credential.description)
        case .listCredentials(let holder, let after, let limit):
            writer.uint8(6)
            writer.optional(holder) { $0.text($1.description) }
            writer.optional(after) { $0.text($1.description) }
            writer.integer(limit)
        case .certificationRequest(let credential):
            writer.uint8(7)
            writer.text(credential.description)
        case .deliver(let credential, let certificate, let takesOverAt):
            writer.uint8(8)
            writer.text(credential.description)
            writer.data(certificate)
            writer.optional(takesOverAt) { $0.integer($1.milliseconds) }
        case .suspend(let credential, let reason):
            writer.uint8(9)
            writer.text(credential.description)
            writer.uint8(reason.rawValue)
        case .resume(let credential):
            writer.uint8(10)
            writer.text(credential.description)
        case .revoke(let credential, let reason):
            writer.uint8(11)
            writer.text(credential.description)
            writer.uint8(reason.rawValue)
        case .destroy(let credential):
            writer.uint8(12)
            writer.text(credential.description)
        case .enable(let holder, let isEnabled):
            writer.uint8(13)
            writer.text(holder.description)
            writer.flag(isEnabled)
        case .takeRevocationList(let list):
            writer.uint8(14)
            writer.data(list)
        case .startImport(let name, let rows):
            writer.uint8(15)
            writer.text(name)
            writer.list(rows) { $1.write(to: &$0) }
        case .importJob(let name):
            writer.uint8(16)
            writer.text(name)
        case .importRows(let name, let from, let limit):
            writer.uint8(17)
            writer.text(name)
            writer.integer(from)
            writer.integer(limit)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        switch try reader.uint8() {
        case 1: self = .putHolder(try HolderRecord(from: &reader))
        case 2: self = .holder(try reader.holderID())
        case 3:
            let after = try reader.optional { (reader) throws(WireError) in try reader.holderID() }
            self = .listHolders(after: after, limit: try reader.limit(RegistrationLimits.holders))
        case 4: self = .requestKey(try KeyOrder(from: &reader))
        case 5: self = .credential(try reader.credentialID())
        case 6:
            let holder = try reader.optional { (reader) throws(WireError) in try reader.holderID() }
            let after = try reader.optional { (reader) throws(WireError) in try reader.credentialID() }
            self = .listCredentials(
                of: holder, after: after, limit: try reader.limit(RegistrationLimits.credentials)
            )
        case 7: self = .certificationRequest(try reader.credentialID())
        case 8:
            let credential = try reader.credentialID()
            let certificate = try reader.data(atMost: RegistrationLimits.certificateBytes)
            self = .deliver(credential, certificate: certificate, takesOverAt: try reader.optionalInstant())
        case 9:
            let credential = try reader.credentialID()
            self = .suspend(credential, reason: try reader.reason())
        case 10: self = .resume(try reader.credentialID())
        case 11:
            let credential = try reader.credentialID()
            self = .revoke(credential, reason: try reader.reason())
        case 12: self = .destroy(try reader.credentialID())
        case 13:
            let holder = try reader.holderID()
            self = .enable(holder, try reader.flag())
        case 14: self = .takeRevocationList(try reader.data(atMost: RegistrationLimits.revocationListBytes))
        case 15:
            let name = try reader.importName()
            let rows = try reader.list(atMost: RegistrationLimits.importRows) { (reader) throws(WireError) in
                try ImportRow(from: &reader)
            }
            self = .startImport(name: name, rows: rows)
        case 16: self = .importJob(name: try reader.importName())
        case 17:
            let name = try reader.importName()
            let from: UInt32 = try reader.integer()
            self = .importRows(name: name, from: from, limit: try reader.limit(RegistrationLimits.reportRows))
        default: throw .invalidValue
        }
    }
}

extension KeyOrder {
    fileprivate func write(to writer: inout WireWriter) {
        writer.text(credential.description)
        writer.text(holder.description)
        writer.optional(keyType) { $0.text($1.rawValue) }
        writer.optional(replaces) { $0.text($1.description) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(
            credential: try reader.credentialID(), holder: try reader.holderID(),
            keyType: try reader.optional { (reader) throws(WireError) in try reader.keyType() },
            replaces: try reader.optional { (reader) throws(WireError) in try reader.credentialID() }
        )
    }
}

extension ImportRow {
    fileprivate func write(to writer: inout WireWriter) {
        holder.write(to: &writer)
        writer.optional(order) { $1.write(to: &$0) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(
            holder: try HolderRecord(from: &reader),
            order: try reader.optional { (reader) throws(WireError) in try KeyOrder(from: &reader) }
        )
    }
}

extension WireReader {
    mutating func holderID() throws(WireError) -> HolderID {
        guard let id = HolderID(try text(atMost: 64)) else { throw .invalidValue }
        return id
    }

    mutating func keyType() throws(WireError) -> KeyType {
        guard let type = KeyType(rawValue: try text(atMost: 16)) else { throw .invalidValue }
        return type
    }

    mutating func reason() throws(WireError) -> RevocationReason {
        guard let reason = RevocationReason(rawValue: try uint8()) else { throw .invalidValue }
        return reason
    }

    mutating func optionalInstant() throws(WireError) -> Instant? {
        try optional { (reader) throws(WireError) in Instant(milliseconds: try reader.integer()) }
    }

    mutating func importName() throws(WireError) -> String {
        try text(atMost: RegistrationLimits.importNameBytes)
    }

    /// A page's size, 1 to `most`.
    fileprivate mutating func limit(_ most: Int) throws(WireError) -> UInt16 {
        let limit: UInt16 = try integer()
        guard (1...most).contains(Int(limit)) else { throw .invalidValue }
        return limit
    }
}

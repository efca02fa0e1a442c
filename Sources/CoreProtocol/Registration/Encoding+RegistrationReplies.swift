internal import HPKI

extension RegistrationReply {
    func write(to writer: inout WireWriter) {
        switch self {
        case .holder(let facts):
            writer.uint8(1)
            facts.write(to: &writer)
        case .holders(let holders, let next):
            writer.uint8(2)
            writer.list(holders) { $1.write(to: &$0) }
            writer.optional(next) { $0.text($1.description) }
        case .credential(let facts):
            writer.uint8(3)
            facts.write(to: &writer)
        case .credentials(let credentials, let next):
            writer.uint8(4)
            writer.list(credentials) { $1.write(to: &$0) }
            writer.optional(next) { $0.text($1.description) }
        case .certificationRequest(let request):
            writer.uint8(5)
            writer.data(request)
        case .revocationList(let facts):
            writer.uint8(6)
            facts.write(to: &writer)
        case .importJob(let facts):
            writer.uint8(7)
            writer.text(facts.name)
            writer.integer(facts.total)
            writer.integer(facts.done)
            writer.integer(facts.failed)
        case .importRows(let rows):
            writer.uint8(8)
            writer.list(rows) { $1.write(to: &$0) }
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.uint8() {
        case 1: self = .holder(try HolderFacts(from: &reader))
        case 2:
            let holders = try reader.list(atMost: RegistrationLimits.holders) { (reader) throws(WireError) in
                try HolderFacts(from: &reader)
            }
            self = .holders(
                holders, next: try reader.optional { (reader) throws(WireError) in try reader.holderID() }
            )
        case 3: self = .credential(try CredentialFacts(from: &reader))
        case 4:
            let credentials = try reader.list(atMost: RegistrationLimits.credentials) { (reader) throws(WireError) in
                try CredentialFacts(from: &reader)
            }
            self = .credentials(
                credentials, next: try reader.optional { (reader) throws(WireError) in try reader.credentialID() }
            )
        case 5: self = .certificationRequest(try reader.data(atMost: RegistrationLimits.certificateBytes))
        case 6: self = .revocationList(try RevocationListFacts(from: &reader))
        case 7:
            self = .importJob(
                ImportFacts(
                    name: try reader.importName(), total: try reader.integer(), done: try reader.integer(),
                    failed: try reader.integer()
                )
            )
        case 8:
            self = .importRows(
                try reader.list(atMost: RegistrationLimits.reportRows) { (reader) throws(WireError) in
                    try ImportRowFacts(from: &reader)
                }
            )
        default: throw .invalidValue
        }
    }
}

extension HolderFacts {
    fileprivate func write(to writer: inout WireWriter) {
        record.write(to: &writer)
        writer.flag(isEnabled)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(record: try HolderRecord(from: &reader), isEnabled: try reader.flag())
    }
}

extension CredentialFacts {
    func write(to writer: inout WireWriter) {
        writer.text(id.description)
        writer.text(holder.description)
        writer.text(state.rawValue)
        writer.text(keyType.rawValue)
        writer.text(custody)
        writer.optional(publicKey) { $0.data($1) }
        writer.optional(certificate) { $0.data($1) }
        writer.optional(replaces) { $0.text($1.description) }
        writer.optional(takesOverAt) { $0.integer($1.milliseconds) }
        writer.optional(reason) { $0.uint8($1.rawValue) }
        writer.integer(changedAt.milliseconds)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let id = try reader.credentialID()
        let holder = try reader.holderID()
        guard let state = CredentialState(rawValue: try reader.text(atMost: 32)) else { throw .invalidValue }
        let der = { (reader: inout WireReader) throws(WireError) -> [UInt8] in
            try reader.data(atMost: RegistrationLimits.certificateBytes)
        }
        self.init(
            id: id, holder: holder, state: state, keyType: try reader.keyType(),
            custody: try reader.text(atMost: 32), publicKey: try reader.optional(der),
            certificate: try reader.optional(der),
            replaces: try reader.optional { (reader) throws(WireError) in try reader.credentialID() },
            takesOverAt: try reader.optionalInstant(),
            reason: try reader.optional { (reader) throws(WireError) in try reader.reason() },
            changedAt: Instant(milliseconds: try reader.integer())
        )
    }
}

extension RevocationListFacts {
    fileprivate func write(to writer: inout WireWriter) {
        writer.text(issuer)
        writer.integer(thisUpdate.milliseconds)
        writer.optional(nextUpdate) { $0.integer($1.milliseconds) }
        writer.integer(entries)
        writer.list(revoked) { $0.text($1.description) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(
            issuer: try reader.text(atMost: 1000), thisUpdate: Instant(milliseconds: try reader.integer()),
            nextUpdate: try reader.optionalInstant(), entries: try reader.integer(),
            revoked: try reader.list(atMost: RegistrationLimits.revoked) { (reader) throws(WireError) in
                try reader.credentialID()
            }
        )
    }
}

extension ImportRowFacts {
    fileprivate func write(to writer: inout WireWriter) {
        writer.integer(row)
        writer.text(holder.description)
        writer.optional(credential) { $0.text($1.description) }
        writer.text(outcome)
        writer.optional(detail) { $0.text($1) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(
            row: try reader.integer(), holder: try reader.holderID(),
            credential: try reader.optional { (reader) throws(WireError) in try reader.credentialID() },
            outcome: try reader.text(atMost: 64),
            detail: try reader.optional { (reader) throws(WireError) in
                try reader.text(atMost: RegistrationLimits.detailBytes)
            }
        )
    }
}

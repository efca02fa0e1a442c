internal import HPKI

extension KeyReview {
    func write(to writer: inout WireWriter) {
        writer.text(id.description)
        writer.optional(facts) { $1.write(to: &$0) }
        writer.optional(authority) { $0.text($1.description) }
        writer.list(life) { $1.write(to: &$0) }
        writer.integer(uses)
        writer.list(days) {
            $0.integer($1.start.milliseconds)
            $0.integer($1.uses)
        }
        writer.list(lastUses) { $1.write(to: &$0) }
        index.write(to: &writer)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            id: try reader.credentialID(),
            facts: try reader.optional { (reader) throws(WireError) in try CredentialFacts(from: &reader) },
            authority: try reader.optionalAuthority(), life: try reader.rows(atMost: ReviewLimits.life),
            uses: try reader.integer(),
            days: try reader.list(atMost: ReviewLimits.days) { (reader) throws(WireError) in
                Day(start: try reader.instant(), uses: try reader.integer())
            },
            lastUses: try reader.rows(atMost: ReviewLimits.lastUses), index: try IndexFacts(from: &reader)
        )
    }
}

extension HolderReview {
    func write(to writer: inout WireWriter) {
        writer.text(id.description)
        writer.optional(record) { $1.write(to: &$0) }
        writer.optional(authority) { $0.text($1.description) }
        writer.optional(isEnabled) { $0.flag($1) }
        writer.list(credentials) { $1.write(to: &$0) }
        writer.integer(uses)
        writer.optional(lastUse) { $1.write(to: &$0) }
        index.write(to: &writer)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            id: try reader.holderID(),
            record: try reader.optional { (reader) throws(WireError) in try HolderRecord(from: &reader) },
            authority: try reader.optionalAuthority(),
            isEnabled: try reader.optional { (reader) throws(WireError) in try reader.flag() },
            credentials: try reader.list(atMost: ReviewLimits.credentials) { (reader) throws(WireError) in
                try CredentialFacts(from: &reader)
            },
            uses: try reader.integer(),
            lastUse: try reader.optional { (reader) throws(WireError) in try RecordRow(from: &reader) },
            index: try IndexFacts(from: &reader)
        )
    }
}

extension PolicyReview {
    func write(to writer: inout WireWriter) {
        writer.text(name)
        writer.digest(hash)
        writer.list(rules) { $0.text($1) }
        writer.list(changes) {
            $0.integer($1.sequence)
            $0.integer($1.time.milliseconds)
            $0.text($1.name)
            $0.digest($1.hash)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            name: try reader.text(atMost: ReviewLimits.wordBytes), hash: try reader.digest(),
            rules: try reader.texts(atMost: ReviewLimits.rules),
            changes: try reader.list(atMost: ReviewLimits.life) { (reader) throws(WireError) in
                Change(
                    sequence: try reader.integer(), time: try reader.instant(),
                    name: try reader.text(atMost: ReviewLimits.wordBytes), hash: try reader.digest()
                )
            }
        )
    }
}

extension Anomaly {
    func write(to writer: inout WireWriter) {
        writer.integer(id)
        writer.text(rule.rawValue)
        writer.integer(from.milliseconds)
        writer.integer(to.milliseconds)
        writer.optional(holder) { $0.text($1.description) }
        writer.optional(client) { $0.text($1.description) }
        writer.integer(count)
        writer.integer(limit)
        writer.list(records) { $0.integer($1) }
        writer.text(words)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            id: try reader.integer(), rule: try reader.word(AnomalyRule.init), from: try reader.instant(),
            to: try reader.instant(),
            holder: try reader.optional { (reader) throws(WireError) in try reader.holderID() },
            client: try reader.optional { (reader) throws(WireError) in try reader.clientID() },
            count: try reader.integer(), limit: try reader.integer(),
            records: try reader.list(atMost: ReviewLimits.anomalyRecords) { (reader) throws(WireError) in
                try reader.integer()
            },
            words: try reader.text(atMost: ReviewLimits.noteBytes)
        )
    }
}

extension LogHeadFacts {
    func write(to writer: inout WireWriter) {
        writer.text(origin)
        writer.integer(size)
        writer.data(root)
        writer.optional(newest) { $0.integer($1.milliseconds) }
        writer.flag(isRunning)
        writer.optional(checkpoint) { $0.text($1) }
        writer.list(witnesses) {
            $0.text($1.name)
            $0.optional($1.size) { $0.integer($1) }
            $0.optional($1.cosignedAt) { $0.integer($1.milliseconds) }
            $0.optional($1.fault) { $0.text($1) }
        }
        index.write(to: &writer)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            origin: try reader.text(atMost: 256), size: try reader.integer(), root: try reader.data(atMost: 32),
            newest: try reader.optionalInstant(), isRunning: try reader.flag(),
            checkpoint: try reader.optionalText(atMost: ReviewLimits.checkpointBytes),
            witnesses: try reader.list(atMost: ReviewLimits.witnesses) { (reader) throws(WireError) in
                Witness(
                    name: try reader.text(atMost: 256), size: try reader.optionalNumber(),
                    cosignedAt: try reader.optionalInstant(), fault: try reader.optionalText(atMost: 1000)
                )
            },
            index: try IndexFacts(from: &reader)
        )
    }
}

extension WireReader {
    fileprivate mutating func optionalAuthority() throws(WireError) -> AuthorityID? {
        try optional { (reader) throws(WireError) in
            guard let id = AuthorityID(try reader.text(atMost: 64)) else { throw .invalidValue }
            return id
        }
    }
}

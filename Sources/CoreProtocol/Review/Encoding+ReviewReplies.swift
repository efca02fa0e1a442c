internal import HPKI

extension ReviewReply {
    func write(to writer: inout WireWriter) {
        switch self {
        case .me(let facts):
            writer.uint8(1)
            writer.text(facts.issuer)
            writer.text(facts.subject)
            writer.text(facts.role.rawValue)
            writer.integer(facts.until.milliseconds)
        case .head(let facts):
            writer.uint8(2)
            facts.write(to: &writer)
        case .overview(let facts):
            writer.uint8(3)
            facts.write(to: &writer)
        case .page(let page):
            writer.uint8(4)
            writer.list(page.rows) { $1.write(to: &$0) }
            writer.optional(page.next) { $0.integer($1) }
            writer.integer(page.count)
            writer.flag(page.isCountExact)
            page.index.write(to: &writer)
        case .record(let facts):
            writer.uint8(5)
            facts.write(to: &writer)
        case .key(let review):
            writer.uint8(6)
            review.write(to: &writer)
        case .holder(let review):
            writer.uint8(7)
            review.write(to: &writer)
        case .policies(let review):
            writer.uint8(8)
            review.write(to: &writer)
        case .anomalies(let page):
            writer.uint8(9)
            writer.list(page.anomalies) { $1.write(to: &$0) }
            writer.optional(page.next) { $0.integer($1) }
            page.index.write(to: &writer)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.uint8() {
        case 1:
            self = .me(
                ReviewerFacts(
                    issuer: try reader.text(atMost: 1024), subject: try reader.text(atMost: 255),
                    role: try reader.word(ReviewerRole.init), until: try reader.instant()
                ))
        case 2: self = .head(try LogHeadFacts(from: &reader))
        case 3: self = .overview(try OverviewFacts(from: &reader))
        case 4:
            self = .page(
                RecordPage(
                    rows: try reader.rows(atMost: ReviewLimits.page), next: try reader.optionalNumber(),
                    count: try reader.integer(), isCountExact: try reader.flag(), index: try IndexFacts(from: &reader)
                ))
        case 5: self = .record(try RecordFacts(from: &reader))
        case 6: self = .key(try KeyReview(from: &reader))
        case 7: self = .holder(try HolderReview(from: &reader))
        case 8: self = .policies(try PolicyReview(from: &reader))
        case 9:
            self = .anomalies(
                AnomalyPage(
                    anomalies: try reader.list(atMost: ReviewLimits.page) { (reader) throws(WireError) in
                        try Anomaly(from: &reader)
                    },
                    next: try reader.optionalNumber(), index: try IndexFacts(from: &reader)
                ))
        default: throw .invalidValue
        }
    }
}

extension WireReader {
    mutating func rows(atMost limit: Int) throws(WireError) -> [RecordRow] {
        try list(atMost: limit) { (reader) throws(WireError) in try RecordRow(from: &reader) }
    }
}

extension IndexFacts {
    func write(to writer: inout WireWriter) {
        writer.integer(indexed)
        writer.integer(size)
        writer.flag(isRebuilding)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(indexed: try reader.integer(), size: try reader.integer(), isRebuilding: try reader.flag())
    }
}

extension RecordRow {
    func write(to writer: inout WireWriter) {
        writer.integer(sequence)
        writer.integer(time.milliseconds)
        writer.integer(kind.rawValue)
        writer.optional(outcome) { $0.integer($1.rawValue) }
        writer.optional(form) { $0.text($1.rawValue) }
        writer.optional(holder) { $0.text($1.description) }
        writer.optional(holderName) { $0.text($1) }
        writer.optional(credential) { $0.text($1.description) }
        writer.optional(client) { $0.text($1.description) }
        writer.optional(facility) { $0.text($1) }
        writer.optional(failure) { $0.text($1.rawValue) }
        for text in [rule, signature?.description, request, note, party] { writer.optional(text) { $0.text($1) } }
        writer.optional(counterpart) { $0.integer($1) }
        writer.flag(isErased)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(sequence: try reader.integer(), time: try reader.instant(), kind: try reader.code(RecordKind.init))
        outcome = try reader.optional { (reader) throws(WireError) in try reader.code(RecordOutcome.init) }
        form = try reader.optional { (reader) throws(WireError) in try reader.word(DocumentForm.init) }
        holder = try reader.optional { (reader) throws(WireError) in try reader.holderID() }
        holderName = try reader.optionalText(atMost: RegistrationLimits.nameBytes)
        credential = try reader.optional { (reader) throws(WireError) in try reader.credentialID() }
        client = try reader.optional { (reader) throws(WireError) in try reader.clientID() }
        facility = try reader.optionalText(atMost: ReviewLimits.wordBytes)
        failure = try reader.optional { (reader) throws(WireError) in try reader.word(Failure.Kind.init) }
        rule = try reader.optionalText(atMost: ReviewLimits.wordBytes)
        signature = try reader.optional { (reader) throws(WireError) in try reader.signatureID() }
        request = try reader.optionalText(atMost: ReviewLimits.wordBytes)
        note = try reader.optionalText(atMost: ReviewLimits.noteBytes)
        party = try reader.optionalText(atMost: ReviewLimits.noteBytes)
        counterpart = try reader.optionalNumber()
        isErased = try reader.flag()
    }
}

extension RecordFacts {
    fileprivate func write(to writer: inout WireWriter) {
        row.write(to: &writer)
        writer.data(leaf)
        writer.list(openings) {
            $0.uint8($1.field)
            $0.text($1.name)
            $0.data($1.salt)
            $0.text($1.value)
        }
        writer.optional(counterpart) { $1.write(to: &$0) }
        writer.optional(evidence) { $0.data($1) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(
            row: try RecordRow(from: &reader), leaf: try reader.data(atMost: ReviewLimits.leafBytes),
            openings: try reader.list(atMost: 32) { (reader) throws(WireError) in
                Opening(
                    field: try reader.uint8(), name: try reader.text(atMost: 64), salt: try reader.data(atMost: 16),
                    value: try reader.text(atMost: ReviewLimits.valueBytes)
                )
            },
            counterpart: try reader.optional { (reader) throws(WireError) in try RecordRow(from: &reader) },
            evidence: try reader.optional { (reader) throws(WireError) in
                try reader.data(atMost: ReviewLimits.evidenceBytes)
            }
        )
    }
}

extension OverviewFacts {
    fileprivate func write(to writer: inout WireWriter) {
        writer.integer(from.milliseconds)
        writer.uint8(step.rawValue)
        writer.integer(buckets)
        writer.integer(records)
        writer.list(series) { $1.write(to: &$0) }
        writer.integer(otherClients)
        writer.integer(otherClientUses)
        writer.integer(anomalies)
        index.write(to: &writer)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        let from = try reader.instant()
        guard let step = OverviewStep(rawValue: try reader.uint8()) else { throw .invalidValue }
        self.init(
            from: from, step: step, buckets: try reader.integer(), records: try reader.integer(),
            series: try reader.list(atMost: ReviewLimits.series) { (reader) throws(WireError) in
                try Series(from: &reader)
            },
            otherClients: try reader.integer(), otherClientUses: try reader.integer(),
            anomalies: try reader.integer(), index: try IndexFacts(from: &reader)
        )
    }
}

extension OverviewFacts.Series {
    fileprivate func write(to writer: inout WireWriter) {
        writer.uint8(dimension.rawValue)
        writer.text(name)
        writer.optional(facility) { $0.text($1) }
        writer.integer(total)
        writer.list(counts) { $0.integer($1) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        guard let dimension = OverviewFacts.Dimension(rawValue: try reader.uint8()) else { throw .invalidValue }
        self.init(
            dimension: dimension, name: try reader.text(atMost: ReviewLimits.wordBytes),
            facility: try reader.optionalText(atMost: ReviewLimits.wordBytes), total: try reader.integer(),
            counts: try reader.list(atMost: ReviewLimits.buckets) { (reader) throws(WireError) in
                try reader.integer()
            }
        )
    }
}

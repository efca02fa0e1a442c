internal import HPKI

extension ReviewCommand {
    func write(to writer: inout WireWriter) {
        writer.text(requestID)
        token.write(to: &writer)
        question.write(to: &writer)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            requestID: try reader.text(atMost: 64), token: try PresentedToken(from: &reader),
            question: try ReviewQuestion(from: &reader)
        )
    }
}

extension ReviewQuestion {
    fileprivate func write(to writer: inout WireWriter) {
        switch self {
        case .me: writer.uint8(1)
        case .head: writer.uint8(2)
        case .overview(let from, let to, let step):
            writer.uint8(3)
            writer.integer(from.milliseconds)
            writer.integer(to.milliseconds)
            writer.uint8(step.rawValue)
        case .search(let filter, let before, let limit):
            writer.uint8(4)
            filter.write(to: &writer)
            writer.optional(before) { $0.integer($1) }
            writer.integer(limit)
        case .record(let sequence):
            writer.uint8(5)
            writer.integer(sequence)
        case .key(let credential):
            writer.uint8(6)
            writer.text(credential.description)
        case .holder(let holder):
            writer.uint8(7)
            writer.text(holder.description)
        case .myUses(let before, let limit):
            writer.uint8(8)
            writer.optional(before) { $0.integer($1) }
            writer.integer(limit)
        case .policies: writer.uint8(9)
        case .anomalies(let from, let to, let before, let limit):
            writer.uint8(10)
            writer.integer(from.milliseconds)
            writer.integer(to.milliseconds)
            writer.optional(before) { $0.integer($1) }
            writer.integer(limit)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        switch try reader.uint8() {
        case 1: self = .me
        case 2: self = .head
        case 3:
            let from = try reader.instant()
            let to = try reader.instant()
            guard let step = OverviewStep(rawValue: try reader.uint8()) else { throw .invalidValue }
            self = .overview(from: from, to: to, step: step)
        case 4:
            let filter = try AuditFilter(from: &reader)
            self = .search(filter, before: try reader.optionalNumber(), limit: try reader.pageLimit())
        case 5: self = .record(try reader.integer())
        case 6: self = .key(try reader.credentialID())
        case 7: self = .holder(try reader.holderID())
        case 8: self = .myUses(before: try reader.optionalNumber(), limit: try reader.pageLimit())
        case 9: self = .policies
        case 10:
            self = .anomalies(
                from: try reader.instant(), to: try reader.instant(), before: try reader.optionalNumber(),
                limit: try reader.pageLimit()
            )
        default: throw .invalidValue
        }
    }
}

extension AuditFilter {
    fileprivate func write(to writer: inout WireWriter) {
        writer.optional(from) { $0.integer($1.milliseconds) }
        writer.optional(to) { $0.integer($1.milliseconds) }
        writer.optional(holder) { $0.text($1.description) }
        writer.optional(credential) { $0.text($1.description) }
        writer.optional(client) { $0.text($1.description) }
        writer.optional(facility) { $0.text($1) }
        writer.list(kinds) { $0.integer($1.rawValue) }
        writer.optional(outcome) { $0.integer($1.rawValue) }
        writer.optional(form) { $0.text($1.rawValue) }
        writer.optional(failure) { $0.text($1.rawValue) }
        writer.optional(text) { $0.text($1) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init()
        from = try reader.optionalInstant()
        to = try reader.optionalInstant()
        holder = try reader.optional { (reader) throws(WireError) in try reader.holderID() }
        credential = try reader.optional { (reader) throws(WireError) in try reader.credentialID() }
        client = try reader.optional { (reader) throws(WireError) in try reader.clientID() }
        facility = try reader.optionalText(atMost: 64)
        kinds = try reader.list(atMost: RecordKind.allCases.count) { (reader) throws(WireError) in
            try reader.code(RecordKind.init)
        }
        outcome = try reader.optional { (reader) throws(WireError) in try reader.code(RecordOutcome.init) }
        form = try reader.optional { (reader) throws(WireError) in try reader.word(DocumentForm.init) }
        failure = try reader.optional { (reader) throws(WireError) in try reader.word(Failure.Kind.init) }
        text = try reader.optionalText(atMost: 64)
    }
}

extension WireReader {
    mutating func instant() throws(WireError) -> Instant { Instant(milliseconds: try integer()) }

    mutating func clientID() throws(WireError) -> ClientID {
        guard let id = ClientID(try text(atMost: 128)) else { throw .invalidValue }
        return id
    }

    mutating func optionalNumber() throws(WireError) -> UInt64? {
        try optional { (reader) throws(WireError) in try reader.integer() }
    }

    mutating func optionalText(atMost limit: Int) throws(WireError) -> String? {
        try optional { (reader) throws(WireError) in try reader.text(atMost: limit) }
    }

    /// A value by its number.
    mutating func code<Value>(_ value: (UInt16) -> Value?) throws(WireError) -> Value {
        guard let value = value(try integer()) else { throw .invalidValue }
        return value
    }

    /// A value by its word.
    mutating func word<Value>(_ value: (String) -> Value?) throws(WireError) -> Value {
        guard let value = value(try text(atMost: 64)) else { throw .invalidValue }
        return value
    }

    /// A page's size, 1 to `ReviewLimits.page`.
    fileprivate mutating func pageLimit() throws(WireError) -> UInt16 {
        let limit: UInt16 = try integer()
        guard (1...ReviewLimits.page).contains(Int(limit)) else { throw .invalidValue }
        return limit
    }
}

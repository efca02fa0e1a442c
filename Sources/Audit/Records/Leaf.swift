package import HPKI

/// What happened, as one audit entry tells it; the numbers are part of the record's format and never change meaning.
package enum EntryKind: UInt16, Sendable, Hashable, CaseIterable {
    /// A key is about to be used.
    case intent = 1
    /// A use of a key ended: signed, failed or unknown.
    case outcome = 2
    /// A known caller was refused.
    case refusal = 3
    /// Core started.
    case start = 4
    /// Core stopped in order.
    case stop = 5
    /// The policy set or the configuration that takes effect.
    case configuration = 6
    /// A credential or a holder was made or changed.
    case administration = 7
    /// A reviewer looked at the log; recorded before anything is answered.
    case inspection = 8
    /// A login's session began or ended, or a client system got a code by it.
    case authentication = 9

    /// The word that people read.
    package var name: String {
        switch self {
        case .intent: "intent"
        case .outcome: "outcome"
        case .refusal: "refusal"
        case .start: "start"
        case .stop: "stop"
        case .configuration: "configuration"
        case .administration: "administration"
        case .inspection: "inspection"
        case .authentication: "authentication"
        }
    }
}

/// The canonical, chained half of an audit entry: codes, a pseudonym and salted commitments, nothing that names a
/// person or a document (format: `docs/audit-format.md`).
package struct Leaf: Sendable, Hashable {
    /// The version of this format.
    package static let version: UInt8 = 1

    package let sequence: UInt64
    package let time: Instant
    package let kind: EntryKind
    /// How an outcome ended (1 signed, 2 failed, 3 unknown); 0 for other kinds.
    package let code: UInt16
    /// The intent that an outcome closes; nil for other kinds.
    package let intent: UInt64?
    /// The holder under this period's key, 16 bytes; zeros where no holder is concerned.
    package let pseudonym: [UInt8]
    package let commitments: [Commitment]

    /// The bytes that are chained.
    package var bytes: [UInt8] {
        var writer = WireWriter(capacity: 64 + commitments.count * 33)
        writer.uint8(Self.version)
        writer.integer(sequence)
        writer.integer(time.milliseconds)
        writer.integer(kind.rawValue)
        writer.integer(code)
        writer.optional(intent) { $0.integer($1) }
        writer.raw(pseudonym)
        writer.list(commitments) {
            $0.uint8($1.field.rawValue)
            $0.raw($1.value)
        }
        return writer.bytes
    }

    /// A leaf of its parts; `pseudonym` is 16 bytes.
    init(
        sequence: UInt64, time: Instant, kind: EntryKind, code: UInt16, intent: UInt64?, pseudonym: [UInt8],
        commitments: [Commitment]
    ) {
        self.sequence = sequence
        self.time = time
        self.kind = kind
        self.code = code
        self.intent = intent
        self.pseudonym = pseudonym
        self.commitments = commitments
    }

    /// Reads a leaf; throws `WireError` for anything that `bytes` would not have written.
    package init(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        guard try reader.uint8() == Self.version else { throw .invalidValue }
        sequence = try reader.integer()
        time = Instant(milliseconds: try reader.integer())
        guard let kind = EntryKind(rawValue: try reader.integer()) else { throw .invalidValue }
        self.kind = kind
        code = try reader.integer()
        intent = try reader.optional { (reader) throws(WireError) in try reader.integer() }
        pseudonym = try reader.raw(16)
        commitments = try reader.list(atMost: 32) { (reader) throws(WireError) in
            guard let field = DetailField(rawValue: try reader.uint8()) else { throw .invalidValue }
            return Commitment(field: field, value: try reader.raw(32))
        }
        try reader.end()
    }
}

/// A salted commitment to one field of the detail: SHA-256 over label, field, salt and value.
package struct Commitment: Sendable, Hashable {
    package let field: DetailField
    /// 32 bytes.
    package let value: [UInt8]
}

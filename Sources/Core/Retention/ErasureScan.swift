import Audit
import Certificates
import CoreProtocol
import HPKI
import Keys
import Storage

/// Looks through a part of the log for details that an order is about, within one reading transaction.
struct ErasureScan: Sendable {
    let order: ErasureOrder
    let retention: Retention
    let now: Instant
    let bounds: Erasure.Bounds
    private var found = Found()
    /// The ends of certificates, by the records' field that names them.
    private var ends: [String: Instant?] = [:]

    init(order: ErasureOrder, retention: Retention, now: Instant, bounds: Erasure.Bounds) {
        self.order = order
        self.retention = retention
        self.now = now
        self.bounds = bounds
    }

    /// What is to be erased, and what is kept and why.
    struct Found: Sendable {
        var due: [(sequence: UInt64, retentionClass: RetentionClass)] = []
        var next: UInt64?
        var size: UInt64 = 0
        var open: UInt64 = 0
        var repeatable: UInt64 = 0
        var unarchived: UInt64 = 0

        var facts: ErasureFacts {
            let counts = due.reduce(into: [RetentionClass: UInt64]()) { $0[$1.retentionClass, default: 0] += 1 }
            return ErasureFacts(
                next: next, size: size,
                counts: RetentionClass.allCases.compactMap { one in
                    counts[one].map { ErasureFacts.Count(name: one.name, count: $0) }
                },
                open: open, repeatable: repeatable, unarchived: unarchived)
        }
    }

    /// Looks; throws a `Failure` for a record that must not be erased, and what reading throws.
    mutating func run(in connection: any SQLConnection) throws -> Found {
        found.size = try AuditStanding.read(in: connection).size
        switch order.scope {
        case .record(let number): try take(one: number, connection)
        case .expired: try takePart(connection) { scan, entry, intent in try scan.isDue(entry, intent, connection) }
        case .holder(let holder):
            let named = NamedHolder(
                holder: holder,
                credentials: try CredentialStore.records(of: holder, limit: 1000, in: connection).map(\.id))
            try takePart(connection) { _, entry, intent in
                // A use is erased whole, and its intent may have been in an earlier part.
                named.isIn(entry) || intent.map { $0.detail == nil || named.isIn($0) } ?? false
            }
        }
        return found
    }

    private typealias Wish =
        (inout ErasureScan, AuditReader.Entry, _ intent: AuditReader.Entry?) throws -> Bool

    private mutating func takePart(_ connection: any SQLConnection, _ isWanted: Wish) throws {
        let entries = try AuditReader.entries(from: order.from, limit: bounds.scanned, in: connection)
        let end = retention.keptFrom(now)
        for entry in entries {
            if order.scope == .expired, entry.leaf.time > end { return }
            guard found.due.count < bounds.erased else {
                found.next = entry.leaf.sequence
                return
            }
            guard entry.detail != nil, !entry.isNeverErased else { continue }
            let intent = try entry.leaf.intent.flatMap { try Self.entry($0, connection) }
            if try isWanted(&self, entry, intent) { try add(entry, intent, connection) }
        }
        if entries.count == bounds.scanned, let last = entries.last { found.next = last.leaf.sequence + 1 }
    }

    /// One record, and the other half of its use.
    private mutating func take(one number: UInt64, _ connection: any SQLConnection) throws {
        guard let entry = try Self.entry(number, connection) else {
            throw Failure(.notFound, "The log has no record of this number.")
        }
        guard entry.detail != nil else {
            throw Failure(.wrongState, "The detail of record \(number) is erased already.")
        }
        guard !entry.isNeverErased else {
            throw Failure(
                .wrongState,
                "Record \(number) tells of an erasure or of a checkpoint key; it names nobody and is never erased.")
        }
        let intent = try entry.leaf.intent.flatMap { try Self.entry($0, connection) }
        if order.ground == nil, try !isDue(entry, intent, connection) {
            let end = try self.end(entry, intent, connection).rfc3339 ?? "the end of the calendar"
            throw Failure(.wrongState, "Record \(number) is to be kept until \(end); before that it needs a ground.")
        }
        try add(entry, intent, connection)
        if let intent, intent.detail != nil { try add(intent, nil, connection) }
        if entry.leaf.kind == .intent, let outcome = try Self.outcome(of: number, connection),
            let closing = try Self.entry(outcome, connection), closing.detail != nil
        {
            try add(closing, entry, connection)
        }
    }

    private mutating func add(
        _ entry: AuditReader.Entry, _ intent: AuditReader.Entry?, _ connection: any SQLConnection
    ) throws {
        let leaf = entry.leaf
        var last = leaf.sequence
        if let number = leaf.kind == .intent ? leaf.sequence : leaf.intent {
            guard let outcome = try Self.outcome(of: number, connection) else {
                found.open += 1
                return
            }
            if try SignatureStore.use(of: number, in: connection)?.isClaimed == true {
                found.repeatable += leaf.kind == .intent ? 1 : 0
                return
            }
            last = outcome
        }
        if let archived = order.archived, last >= archived {
            found.unarchived += 1
            return
        }
        found.due.append((leaf.sequence, leaf.retentionClass(closing: intent?.leaf)))
    }

    // MARK: Retention

    private mutating func isDue(
        _ entry: AuditReader.Entry, _ intent: AuditReader.Entry?, _ connection: any SQLConnection
    ) throws -> Bool {
        // A use is erased whole.
        if let intent, intent.detail == nil { return true }
        return try end(entry, intent, connection) <= now
    }

    /// An outcome is kept for as long as its intent.
    private mutating func end(
        _ entry: AuditReader.Entry, _ intent: AuditReader.Entry?, _ connection: any SQLConnection
    ) throws -> Instant {
        let source = intent ?? entry
        let key = source.detail?.openings.first { $0.field == .key }?.value
        return retention.end(
            of: source.leaf.retentionClass(), recorded: source.leaf.time,
            certificateEnd: try key.flatMap { try certificateEnd($0, connection) })
    }

    /// The end of the certificate whose digest, or whose key's digest, stands in the field `credential:hex`; nil where
    /// the registry does not have it any more.
    private mutating func certificateEnd(_ key: String, _ connection: any SQLConnection) throws -> Instant? {
        if let known = ends[key] { return known }
        var end: Instant?
        if let colon = key.lastIndex(of: ":"), let id = CredentialID(String(key[..<colon])),
            let der = try CredentialStore.record(id, in: connection)?.certificate,
            let certificate = try? HPKICertificate(der: der)
        {
            let digests = [certificate.fingerprint, Digest(of: certificate.publicKey.subjectPublicKeyInfo)]
            if digests.contains(where: { $0.hex == key[key.index(after: colon)...] }) { end = certificate.notAfter }
        }
        ends[key] = .some(end)
        return end
    }

    // MARK: Reading

    private static func entry(_ number: UInt64, _ connection: any SQLConnection) throws -> AuditReader.Entry? {
        let entry = try AuditReader.entries(from: number, limit: 1, in: connection).first
        return entry?.leaf.sequence == number ? entry : nil
    }

    /// The outcome that closes an intent; nil while it is open, as only the newest can be: a start closes them all.
    private static func outcome(of intent: UInt64, _ connection: any SQLConnection) throws -> UInt64? {
        if let use = try SignatureStore.use(of: intent, in: connection) { return use.outcome }
        var (next, limit) = (intent + 1, 64)
        while true {
            let entries = try AuditReader.entries(from: next, limit: limit, in: connection)
            if let found = entries.first(where: { $0.leaf.intent == intent }) { return found.leaf.sequence }
            guard let last = entries.last else { return nil }
            (next, limit) = (last.leaf.sequence + 1, 1000)
        }
    }
}

/// A holder by everything that names them in a record.
struct NamedHolder: Sendable {
    let holder: HolderID
    let credentials: [CredentialID]

    func isIn(_ entry: AuditReader.Entry) -> Bool {
        entry.detail?.openings.contains { names(holder.description, $0) || credentials.contains(where: names($0)) }
            ?? false
    }

    private func names(_ holder: String, _ opening: Detail.Opening) -> Bool {
        switch opening.field {
        case .holder: opening.value == holder
        case .registration: opening.value.hasPrefix("holder:\(holder):")
        case .subject: opening.value.split(separator: "\n").contains { $0 == "holder=\(holder)" }
        default: false
        }
    }

    /// Refusals of authorities name a credential in their note, and nothing else of its holder.
    private func names(_ opening: Detail.Opening) -> (CredentialID) -> Bool {
        { credential in
            let id = credential.description
            return switch opening.field {
            case .key: opening.value.hasPrefix("\(id):")
            case .registration: opening.value.hasPrefix("credential:\(id):")
            case .subject: opening.value.split(separator: "\n").contains { $0 == "credential=\(id)" }
            case .note:
                opening.value.split(separator: ":").contains { part in part.split(separator: " ").last == Substring(id)
                }
            default: false
            }
        }
    }
}

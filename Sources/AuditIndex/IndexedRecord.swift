package import Audit
package import CoreProtocol
package import HPKI

/// What the index takes of a record, and what a row for people shows: a record's leaf and detail in the words of
/// `docs/audit-format.md`, total on anything that they may hold.
package struct IndexedRecord: Sendable {
    package let sequence: UInt64
    package let time: Instant
    /// Nil for a kind that this release has no word for: such a record is counted and not shown.
    package let kind: RecordKind?
    package let outcome: RecordOutcome?
    /// The intent that an outcome closes.
    package let intent: UInt64?
    package let isErased: Bool
    package let holder: HolderID?
    /// The keys that the record is about; several where one takes over from another.
    package let credentials: [CredentialID]
    package let client: ClientID?
    package let form: DocumentForm?
    package let failure: Failure.Kind?
    package let signature: SignatureID?
    package let request: String?
    package let rule: String?
    package let note: String?
    /// The lines of the authority or the reviewer.
    package let party: String?
    /// The name in `authority=`.
    package let authority: String?

    /// Reads a record; `detail` is nil where it was erased.
    package init(_ leaf: Leaf, _ detail: Detail?) {
        sequence = leaf.sequence
        time = leaf.time
        kind = RecordKind(rawValue: leaf.kind.rawValue)
        outcome = leaf.kind == .outcome ? RecordOutcome(rawValue: leaf.code) : nil
        intent = leaf.intent
        // What never had a field has nothing to erase.
        isErased = detail == nil && !leaf.commitments.isEmpty
        func value(_ field: DetailField) -> String? { detail?.openings.first { $0.field == field }?.value }
        holder = value(.holder).flatMap { HolderID($0) }
        var credentials: [CredentialID] = []
        for opening in detail?.openings ?? [] {
            guard let id = Self.credential(opening), !credentials.contains(id) else { continue }
            credentials.append(id)
        }
        self.credentials = credentials
        client = value(.client).flatMap { ClientID($0) }
        form = value(.document).flatMap { DocumentForm(rawValue: String($0.prefix { $0 != ":" })) }
        signature = value(.signature).flatMap { SignatureID($0) }
        request = value(.request)
        rule = value(.decision).flatMap { decision in
            let rule = String(decision.prefix { $0 != ":" })
            return rule.isEmpty || rule == "-" ? nil : rule
        }
        note = value(.note)
        party = value(.reviewer) ?? value(.authority)
        authority = value(.authority).flatMap { Self.line("authority=", in: $0) }
        failure = leaf.kind == .refusal ? value(.note).flatMap(Self.failure) : nil
    }

    /// `credential:hex` of a use; `credential:id:version:hex` of an administration, where the id may hold colons;
    /// `credential=id` of an inspection.
    private static func credential(_ opening: Detail.Opening) -> CredentialID? {
        switch opening.field {
        case .key:
            guard let end = opening.value.lastIndex(of: ":") else { return nil }
            return CredentialID(String(opening.value[..<end]))
        case .registration:
            let parts = opening.value.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count >= 4, parts[0] == "credential" else { return nil }
            return CredentialID(parts[1..<(parts.count - 2)].joined(separator: ":"))
        case .subject: return line("credential=", in: opening.value).flatMap { CredentialID($0) }
        default: return nil
        }
    }

    /// A caller's refusal says the kind alone; an authority's and a reviewer's `act: kind: reasons`.
    private static func failure(_ note: String) -> Failure.Kind? {
        for part in note.split(separator: ":", maxSplits: 2) {
            let word = part.drop { $0 == " " }
            if let kind = Failure.Kind(rawValue: String(word)) { return kind }
        }
        return nil
    }

    private static func line(_ name: String, in text: String) -> String? {
        text.split(separator: "\n").first { $0.hasPrefix(name) }.map { String($0.dropFirst(name.utf8.count)) }
    }

    /// A row for people; names of the registry and the configuration are the caller's to add.
    package var row: RecordRow? {
        guard let kind else { return nil }
        var row = RecordRow(sequence: sequence, time: time, kind: kind, isErased: isErased)
        row.outcome = outcome
        row.form = form
        row.holder = holder
        row.credential = credentials.first
        row.client = client
        row.failure = failure
        row.rule = rule.map { Self.cut($0, ReviewLimits.wordBytes) }
        row.signature = signature
        row.request = request.map { Self.cut($0, ReviewLimits.wordBytes) }
        row.note = note.map { Self.cut($0, ReviewLimits.noteBytes) }
        row.party = party.map { Self.cut($0, ReviewLimits.noteBytes) }
        row.counterpart = intent
        return row
    }

    /// At most `limit` bytes; what is longer ends with `…`.
    private static func cut(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var short = ""
        var count = 0
        for character in text {
            let size = String(character).utf8.count
            guard count + size <= limit - 3 else { break }
            short.append(character)
            count += size
        }
        return short + "…"
    }
}

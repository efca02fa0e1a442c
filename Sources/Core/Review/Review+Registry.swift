import AuditIndex
import CoreProtocol
import HPKI
import Identity
import Keys
import Policies
import Storage

extension Review {
    func key(_ id: CredentialID) async throws(Failure) -> KeyReview {
        let record = try await read { try CredentialStore.record(id, in: $0) }
        var filter = AuditFilter()
        filter.credential = id
        filter.kinds = [.administration]
        let life = try await page(IndexQuery(filter), before: nil, limit: ReviewLimits.life)
        filter.kinds = [.intent]
        let lastUses = try await page(IndexQuery(filter), before: nil, limit: ReviewLimits.lastUses)
        guard record != nil || life.count > 0 || lastUses.count > 0 else {
            throw Failure(.notFound, "Neither the registry nor the log knows a key of this name.")
        }
        let now = clock.now()
        let query = IndexQuery(filter)
        let days = try await ask { () async throws(AuditIndexError) in
            try await index.days(
                query, from: now.adding(seconds: -Int64(ReviewLimits.days - 1) * 86_400), to: now.adding(seconds: 1))
        }
        return KeyReview(
            id: id, facts: record?.facts, authority: record?.authority, life: life.rows, uses: lastUses.count,
            days: days.suffix(ReviewLimits.days), lastUses: lastUses.rows, index: index.facts)
    }

    func holder(_ id: HolderID) async throws(Failure) -> HolderReview {
        let (registered, isEnabled, credentials) = try await read { connection in
            (
                try HolderStore.registered(id, in: connection),
                try HolderStore.exists(id, in: connection) ? try HolderStore.isEnabled(id, in: connection) : nil,
                try CredentialStore.records(of: id, limit: ReviewLimits.credentials, in: connection)
            )
        }
        var filter = AuditFilter()
        filter.holder = id
        filter.kinds = [.intent]
        let uses = try await page(IndexQuery(filter), before: nil, limit: 1)
        guard isEnabled != nil || uses.count > 0 else {
            throw Failure(.notFound, "Neither the registry nor the log knows a holder of this id.")
        }
        return HolderReview(
            id: id, record: registered?.record, authority: registered?.authority, isEnabled: isEnabled,
            credentials: credentials.map(\.facts), uses: uses.count, lastUse: uses.rows.first, index: index.facts)
    }

    /// The set in force, and the starts at which another one than before took effect.
    func policyReview() async throws(Failure) -> PolicyReview {
        var filter = AuditFilter()
        filter.kinds = [.configuration]
        var sets: [PolicyReview.Change] = []
        var before: UInt64?
        // A start writes one such record, so a thousand starts are looked back.
        for _ in 0..<10 {
            let page = try await page(IndexQuery(filter), before: before, limit: ReviewLimits.page)
            sets += page.rows.compactMap(\.policySet)
            before = page.next
            if before == nil { break }
        }
        var changes: [PolicyReview.Change] = []
        for (index, set) in sets.enumerated() {
            guard changes.count < ReviewLimits.life else { break }
            let earlier = index + 1 < sets.count ? sets[index + 1] : nil
            if earlier?.hash != set.hash || earlier?.name != set.name { changes.append(set) }
        }
        return PolicyReview(
            name: policies.name, hash: policies.hash, rules: Array(policies.ruleIDs.prefix(ReviewLimits.rules)),
            changes: changes)
    }
}

extension RecordRow {
    /// `policy set NAME HEX`, as a start writes it.
    fileprivate var policySet: PolicyReview.Change? {
        let opening = "policy set "
        guard let note, note.hasPrefix(opening) else { return nil }
        let words = note.dropFirst(opening.count).split(separator: " ")
        guard let last = words.last, words.count > 1, let bytes = Hex.decode(String(last)),
            let hash = Digest(algorithm: .sha256, bytes: bytes)
        else { return nil }
        let name = words.dropLast().joined(separator: " ")
        guard name.utf8.count <= ReviewLimits.wordBytes else { return nil }
        return PolicyReview.Change(sequence: sequence, time: time, name: name, hash: hash)
    }
}

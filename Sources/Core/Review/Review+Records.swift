import Audit
import AuditIndex
import CoreProtocol
import HPKI
import Identity
import Policies
import Storage

extension Review {
    // MARK: Pages

    func search(
        _ filter: AuditFilter, before: UInt64?, limit: Int, for role: ReviewerRole
    ) async throws(Failure) -> RecordPage {
        let query = IndexQuery(
            filter, clients: filter.facility.map(clients(of:)), hidden: role.seesInspections ? [] : [.inspection])
        return try await page(query, before: before, limit: limit)
    }

    /// The uses of a holder's own keys, and what was refused in their name.
    func uses(of caller: Caller, before: UInt64?, limit: Int) async throws(Failure) -> RecordPage {
        var filter = AuditFilter()
        filter.holder = caller.holder
        filter.kinds = [.intent, .refusal]
        return try await page(IndexQuery(filter), before: before, limit: limit)
    }

    private func clients(of facility: String) -> [ClientID] {
        clients.table.values.filter { $0.facility == facility }.map(\.id).sorted { $0.description < $1.description }
    }

    func page(_ query: IndexQuery, before: UInt64?, limit: Int) async throws(Failure) -> RecordPage {
        let found = try await ask { () async throws(AuditIndexError) in
            try await index.search(query, before: before, limit: limit)
        }
        return RecordPage(
            rows: try await rows(found.records, fitting: query),
            next: found.hasMore ? found.records.last?.sequence : nil,
            count: found.count, isCountExact: true, index: index.facts)
    }

    // MARK: Rows

    /// The records as the log has them: the index says where to look, and what is shown is read there.
    func rows(_ found: [FoundRecords.Found], fitting query: IndexQuery? = nil) async throws(Failure) -> [RecordRow] {
        let numbers = Set(found.map(\.sequence) + found.compactMap(\.counterpart))
        let entries = try await ask { () async throws(AuditIndexError) in
            try await source.entries(Array(numbers))
        }
        let records = entries.mapValues { IndexedRecord($0.leaf, $0.detail) }
        var rows: [RecordRow] = []
        for found in found {
            guard let record = records[found.sequence], var row = record.row else { continue }
            row.counterpart = found.counterpart ?? record.intent
            row.outcome = record.outcome ?? (record.kind == .intent ? found.outcome : nil)
            let intent = record.intent.flatMap { records[$0] }
            if let intent, !record.isErased { row.inherit(intent) }
            if let query, !query.filter.fits(row, record) {
                // Erased since it was found, it is nobody's any more; otherwise the index is not this log's.
                if !row.isErased, intent?.isErased != true {
                    index.mistrust("record \(found.sequence) was found and does not fit")
                }
                continue
            }
            // Ids are found by a part of their hash, which others may share.
            if let text = query?.filter.text, row.signature?.description != text, row.request != text { continue }
            rows.append(row)
        }
        return try await named(rows)
    }

    /// The rows with holders' names and facilities as they are now.
    private func named(_ rows: [RecordRow]) async throws(Failure) -> [RecordRow] {
        let holders = Set(rows.compactMap(\.holder))
        let names = try await read { connection in
            var names: [HolderID: String] = [:]
            for holder in holders {
                guard let record = try HolderStore.registered(holder, in: connection)?.record else { continue }
                names[holder] = record.japaneseName.isEmpty ? record.romajiName : record.japaneseName
            }
            return names
        }
        return rows.map { row in
            var row = row
            row.holderName = row.holder.flatMap { names[$0] }
            row.facility = facility(of: row.client)
            return row
        }
    }

    /// The facility of a client system, cut to what a row holds.
    func facility(of client: ClientID?) -> String? {
        client.flatMap { clients[$0]?.facility }.map { String($0.prefix(ReviewLimits.wordBytes / 4)) }
    }

    /// One record as a row; nil where the log has none.
    func row(of sequence: UInt64) async throws(Failure) -> RecordRow? {
        let found = try await found(sequence)
        return try await rows([found]).first
    }

    /// A record with what the index knows of it, where it has got that far.
    private func found(_ sequence: UInt64) async throws(Failure) -> FoundRecords.Found {
        let known = try await ask { () async throws(AuditIndexError) in try await index.found(sequence) }
        return known ?? FoundRecords.Found(sequence: sequence, counterpart: nil, outcome: nil)
    }

    // MARK: One record

    func record(_ sequence: UInt64) async throws(Failure) -> RecordFacts {
        let missing = Failure(.notFound, "The log has no record of this number.")
        guard let row = try await row(of: sequence) else { throw missing }
        let entries = try await ask { () async throws(AuditIndexError) in try await source.entries([sequence]) }
        guard let entry = entries[sequence] else { throw missing }
        let counterpart: RecordRow?
        if let number = row.counterpart { counterpart = try await self.row(of: number) } else { counterpart = nil }
        return RecordFacts(
            row: row, leaf: entry.leaf.bytes,
            openings: (entry.detail?.openings ?? []).map {
                RecordFacts.Opening(field: $0.field.rawValue, name: $0.field.name, salt: $0.salt, value: $0.value)
            },
            counterpart: counterpart, evidence: try await evidence(of: sequence))
    }
}

extension RecordRow {
    /// An outcome's leaf says which intent it closes; the rest stands there.
    fileprivate mutating func inherit(_ intent: IndexedRecord) {
        holder = holder ?? intent.holder
        credential = credential ?? intent.credentials.first
        client = client ?? intent.client
        form = form ?? intent.form
        signature = signature ?? intent.signature
        rule = rule ?? intent.row?.rule
        request = request ?? intent.row?.request
    }
}

extension AuditFilter {
    /// Whether a record that the index found is one that was asked for.
    fileprivate func fits(_ row: RecordRow, _ record: IndexedRecord) -> Bool {
        if let from, row.time < from { return false }
        if let to, row.time >= to { return false }
        if let holder, row.holder != holder { return false }
        if let credential, row.credential != credential, !record.credentials.contains(credential) { return false }
        if let client, row.client != client { return false }
        if !kinds.isEmpty, !kinds.contains(row.kind) { return false }
        if let outcome, row.outcome != outcome { return false }
        if let form, row.form != form { return false }
        if let failure, row.failure != failure { return false }
        return true
    }
}

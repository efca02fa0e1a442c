import Audit
import CoreProtocol
import HPKI
import Identity
import Keys
import Storage

// Holders: created and changed by their authority, and nobody else's.
extension Registry {
    func put(_ record: HolderRecord, _ ask: Ask) async throws(Failure) -> HolderFacts {
        try check(record, ask)
        let known = try await read { connection in
            (try HolderStore.registered(record.id, in: connection), try HolderStore.exists(record.id, in: connection))
        }
        if let held = known.0 {
            // Another authority's holder is refused like one that this authority may not name.
            guard held.authority == ask.authority else {
                throw Failure(.registryConflict, "This id belongs to a holder of another authority.")
            }
            guard held.record != record else { return held.facts }
            var next = held
            next.record = record
            next.version &+= 1  // a row at the end of counting is refused as changed by another
            try await store(next, note: "holder changed", ask)
            return next.facts
        }
        guard !known.1 else {
            throw Failure(.registryConflict, "This id belongs to a holder that no authority registered.")
        }
        let holder = RegisteredHolder(record: record, authority: ask.authority, state: .enabled, version: 1)
        try await store(holder, note: "holder registered", ask)
        return holder.facts
    }

    func enable(_ id: HolderID, _ isEnabled: Bool, _ ask: Ask) async throws(Failure) -> HolderFacts {
        let held = try await owned(id, ask)
        let state: HolderStore.State = isEnabled ? .enabled : .disabled
        guard held.state != state else { return held.facts }
        var next = held
        next.state = state
        next.version &+= 1  // a row at the end of counting is refused as changed by another
        let keys = try await read {
            try CredentialStore.list(of: ask.authority, holder: id, after: nil, limit: 1000, in: $0)
        }
        if !isEnabled { for key in keys { await custody.gate.close(key.id) } }
        defer { if !isEnabled { for key in keys { custody.gate.open(key.id) } } }
        try await store(next, note: isEnabled ? "holder enabled" : "holder disabled", ask)
        for key in keys { custody.forget(key.id) }
        return next.facts
    }

    func listHolders(after: HolderID?, limit: Int, _ ask: Ask) async throws(Failure) -> RegistrationReply {
        let limit = min(max(limit, 1), RegistrationLimits.holders)
        let holders = try await read {
            try HolderStore.list(of: ask.authority, after: after, limit: limit, in: $0)
        }
        return .holders(holders.map(\.facts), next: holders.count == limit ? holders.last?.record.id : nil)
    }

    /// What names a holder stands in the registry; roles must be ones that this authority answers for.
    private func check(_ record: HolderRecord, _ ask: Ask) throws(Failure) {
        let remit = settings.authorities.first { $0.remit.name == ask.authority }?.remit
        guard !record.romajiName.isEmpty, !record.japaneseName.isEmpty else {
            throw Failure(.malformedRequest, "A holder has a name in Latin letters and one in Japanese.")
        }
        for role in record.roles {
            guard settings.knownRoles.contains(role.description) else {
                throw Failure(.malformedRequest, "A role is not one of those known here.", reasons: ["unknown-role"])
            }
            guard remit?.roles.contains(role.description) == true else {
                throw Failure(
                    .denied, "A role is outside the authority's remit.", rule: "remit",
                    reasons: ["role-outside-remit"])
            }
        }
    }

    private func store(_ holder: RegisteredHolder, note: String, _ ask: Ask) async throws(Failure) {
        let change = RegistryChange(
            note: note, party: ask.party, holder: holder.record.id,
            registrations: ["holder:\(holder.record.id):\(holder.version):\(holder.digest.hex)"],
            requestID: ask.requestID
        )
        do {
            try await log.record(change) { connection, sequence in
                guard try HolderStore.put(holder, record: sequence, in: connection) else {
                    throw Failure(.registryConflict, "The holder was changed at the same time; read them anew.")
                }
            }
        } catch { throw error.failure }
        choice.forget(holder.record.id)
    }
}

import Audit
package import CoreProtocol
package import HPKI
import Host
import Identity
import Keys
import Policies
import Storage

/// The registration authority's door: holders, and the whole life of their second keys.
///
/// Every change is a step of the log's transaction that records it, under the row's version, so that the log tells of
/// each and two changes at once cannot both hold.
package struct Registry: Sendable {
    let identification: AuthorityIdentification
    let settings: RegistrationSettings
    let certificatePolicies: Set<String>
    let database: Database
    let log: AuditLog
    let custody: KeyCustody
    let policies: PolicySet
    let choice: CredentialChoice
    let watch: CertificateWatch
    let epochs: Epochs
    let spares: SpareKeys
    let turns = MakingTurns()
    let clock: WallClock
    let random: Random
    let failpoint: Failpoint

    /// Does what an authority asks; throws what is wrong with it, recorded where a known authority is refused.
    package func callAsFunction(_ command: RegistrationCommand) async throws(Failure) -> RegistrationReply {
        let party = try identify(command.party)
        let ask = Ask(party: party, requestID: command.requestID)
        do {
            return try await perform(command.act, ask)
        } catch {
            guard error.kind.isRefusalOfAuthority else { throw error }
            do {
                try await log.recordRefusal(
                    of: party, act: command.act.name, failure: error, requestID: command.requestID)
            } catch let fault { throw fault.failure }
            throw error
        }
    }

    /// Who asks, in which request.
    struct Ask: Sendable {
        let party: AuthorityCaller
        let requestID: String

        var authority: AuthorityID { party.authority }
    }

    private func identify(_ party: RegistrationCommand.Party) throws(Failure) -> AuthorityCaller {
        switch party {
        case .authority(let certificate):
            if let caller = identification.identify(certificate: certificate) { return caller }
            throw Failure(.unknownAuthority, "The client certificate belongs to no registered authority.")
        case .operatorCommand(let authority, let proof):
            if let caller = identification.identify(operatorFor: authority, proof: proof) { return caller }
            throw Failure(
                .unknownAuthority, "The configuration names no authority \(authority), or the admin key is another.")
        }
    }

    private func perform(_ act: RegistrationCommand.Act, _ ask: Ask) async throws(Failure) -> RegistrationReply {
        switch act {
        case .putHolder(let record): .holder(try await put(record, ask))
        case .holder(let id): .holder(try await owned(id, ask).facts)
        case .listHolders(let after, let limit): try await listHolders(after: after, limit: Int(limit), ask)
        case .enable(let id, let isEnabled): .holder(try await enable(id, isEnabled, ask))
        case .requestKey(let order): .credential(try await request(order, ask))
        case .credential(let id): .credential(try await owned(id, ask).facts)
        case .listCredentials(let holder, let after, let limit):
            try await listCredentials(of: holder, after: after, limit: Int(limit), ask)
        case .certificationRequest(let id): .certificationRequest(try await certificationRequest(id, ask))
        case .deliver(let id, let certificate, let takesOverAt):
            .credential(try await deliver(certificate, for: id, takesOverAt: takesOverAt, ask))
        case .suspend(let id, let reason): .credential(try await suspend(id, reason, ask))
        case .resume(let id): .credential(try await resume(id, ask))
        case .revoke(let id, let reason): .credential(try await revoke(id, reason, ask))
        case .destroy(let id): .credential(try await destroy(id, ask))
        case .takeRevocationList(let der): .revocationList(try await take(list: der, ask))
        case .startImport(let name, let rows): .importJob(try await startImport(name, rows, ask))
        case .importJob(let name): .importJob(try await importFacts(name, ask))
        case .importRows(let name, let from, let limit):
            .importRows(try await importRows(name, from: from, limit: Int(limit), ask))
        }
    }

    // MARK: What every act needs

    /// A credential of the asking authority; another's does not exist.
    func owned(_ id: CredentialID, _ ask: Ask) async throws(Failure) -> CredentialRecord {
        let record = try await read { try CredentialStore.record(id, in: $0) }
        guard let record, record.authority == ask.authority else {
            throw Failure(.notFound, "This authority has no credential of this name.")
        }
        return record
    }

    /// A holder of the asking authority; another's does not exist.
    func owned(_ id: HolderID, _ ask: Ask) async throws(Failure) -> RegisteredHolder {
        let holder = try await read { try HolderStore.registered(id, in: $0) }
        guard let holder, holder.authority == ask.authority else {
            throw Failure(.notFound, "This authority has no holder of this id.")
        }
        return holder
    }

    func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(Failure) -> Value {
        do { return try await database.read(work) } catch {
            throw Failure(
                .coreUnavailable, "The registry cannot be read at present.", retryAfter: 5, cause: "\(error)")
        }
    }

    /// Records a change of credentials and makes it, all in one transaction, with no use of their keys beside it.
    func store(
        _ changes: [Change], note: String, _ ask: Ask,
        step: @escaping @Sendable (any SQLConnection) throws -> Void = { _ in }
    ) async throws(Failure) {
        guard let first = changes.first else { return }
        let ends = changes.filter { $0.next.state != .active && $0.next.state != .certified }.map(\.next.id)
        for id in ends { await custody.gate.close(id) }
        defer { for id in ends { custody.gate.open(id) } }
        let change = RegistryChange(
            note: note, party: ask.party, holder: first.next.holder,
            registrations: changes.map { "credential:\($0.next.id):\($0.next.version):\($0.next.digest.hex)" },
            transition: (first.from, first.next.state), requestID: ask.requestID
        )
        do {
            try await log.record(change) { connection, sequence in
                for change in changes {
                    let stored = try CredentialStore.put(
                        change.next, endsAt: change.next.endsAt, entry: sequence, in: connection)
                    guard stored else {
                        throw Failure(.registryConflict, "The credential was changed at the same time; read it anew.")
                    }
                }
                try step(connection)
            }
        } catch { throw error.failure }
        for change in changes {
            choice.forget(change.next.holder)
            if ends.contains(change.next.id) { custody.forget(change.next.id) }
        }
    }

    /// A credential's record before and after.
    struct Change: Sendable {
        let from: CredentialState?
        let next: CredentialRecord
    }

    /// The record moved to `state`; throws `.wrongState` with what the credential's state allows.
    func moved(_ record: CredentialRecord, to state: CredentialState) throws(Failure) -> CredentialRecord {
        if let next = record.moved(to: state, at: clock.now()) { return next }
        let allowed = record.state.successors.map(\.rawValue).sorted().joined(separator: ", ")
        throw Failure(
            .wrongState,
            "The credential is \(record.state.rawValue); from there it becomes \(allowed.isEmpty ? "nothing" : allowed)."
        )
    }
}

extension CredentialRecord {
    var facts: CredentialFacts {
        CredentialFacts(
            id: id, holder: holder, state: state, keyType: keyType, custody: custody, publicKey: publicKey,
            certificate: certificate, replaces: replaces, takesOverAt: state == .certified ? takesOverAt : nil,
            reason: reason, changedAt: changedAt
        )
    }
}

extension RegisteredHolder {
    var facts: HolderFacts { HolderFacts(record: record, isEnabled: state == .enabled) }
}

extension Failure.Kind {
    /// Whether the failure is a decision against an authority, rather than a fault of ours or a matter of time.
    fileprivate var isRefusalOfAuthority: Bool {
        switch self {
        case .denied, .registryConflict, .wrongState, .certificateRefused, .revocationListRefused, .keyTypeNotOffered,
            .notFound, .malformedRequest:
            true
        default:
            false
        }
    }
}

extension RegistrationCommand.Act {
    /// The act's word in the log.
    fileprivate var name: String {
        switch self {
        case .putHolder: "put holder"
        case .holder: "read holder"
        case .listHolders: "list holders"
        case .requestKey(let order): "request key \(order.credential)"
        case .credential(let id): "read credential \(id)"
        case .listCredentials: "list credentials"
        case .certificationRequest(let id): "read certification request \(id)"
        case .deliver(let id, _, _): "deliver certificate \(id)"
        case .suspend(let id, _): "suspend \(id)"
        case .resume(let id): "resume \(id)"
        case .revoke(let id, _): "revoke \(id)"
        case .destroy(let id): "destroy \(id)"
        case .enable(_, let isEnabled): isEnabled ? "enable holder" : "disable holder"
        case .takeRevocationList: "take revocation list"
        case .startImport: "start import"
        case .importJob: "read import"
        case .importRows: "read import rows"
        }
    }
}

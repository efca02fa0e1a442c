import Audit
import Certificates
import CoreProtocol
import Formats
import HPKI
import Host
import Identity
import Keys
import Policies
import Storage

// Keys: ordered, generated inside the module, and their possession proven by a PKCS#10 request.
extension Registry {
    func request(_ order: KeyOrder, _ ask: Ask) async throws(Failure) -> CredentialFacts {
        let holder = try await owned(order.holder, ask)
        guard holder.state == .enabled else { throw Failure(.wrongState, "The holder is disabled.") }
        let offer = try offer(for: order)
        if let held = try await read({ try CredentialStore.record(order.credential, in: $0) }) {
            guard held.authority == ask.authority, held.holder == order.holder, held.replaces == order.replaces,
                order.keyType == nil || held.keyType == order.keyType
            else { throw Failure(.registryConflict, "The registry holds another credential under this name.") }
            // An order that ended before its key was made is taken up again.
            guard held.state == .requested else { return held.facts }
            return try await generate(held, holder, ask).facts
        }
        if let replaced = order.replaces { try checkReplaceable(try await owned(replaced, ask), by: order) }
        let record = CredentialRecord(
            id: order.credential, holder: order.holder, authority: ask.authority, keyType: offer.keyType,
            algorithm: offer.algorithm, custody: settings.mode.rawValue, replaces: order.replaces, at: clock.now()
        )
        let what = order.replaces.map { "renewal of \($0)" } ?? "key"
        try await store(
            [Change(from: nil, next: record)],
            note: "\(what) requested: \(offer.keyType.rawValue), \(offer.algorithm.rawValue)", ask
        ) { connection in
            // In the transaction, since of two renewals at once both would take over.
            guard let replaced = order.replaces,
                let other = try CredentialStore.successor(of: replaced, besides: order.credential, in: connection)
            else { return }
            throw Failure(.registryConflict, "\(other) replaces this credential already; renew that one.")
        }
        return try await generate(record, holder, ask).facts
    }

    func certificationRequest(_ id: CredentialID, _ ask: Ask) async throws(Failure) -> [UInt8] {
        let record = try await owned(id, ask)
        guard let request = record.request else {
            throw Failure(.wrongState, "The credential is \(record.state.rawValue) and has no certification request.")
        }
        return request
    }

    func listCredentials(
        of holder: HolderID?, after: CredentialID?, limit: Int, _ ask: Ask
    ) async throws(Failure) -> RegistrationReply {
        let limit = min(max(limit, 1), RegistrationLimits.credentials)
        let records = try await read {
            try CredentialStore.list(of: ask.authority, holder: holder, after: after, limit: limit, in: $0)
        }
        return .credentials(records.map(\.facts), next: records.count == limit ? records.last?.id : nil)
    }

    private func checkReplaceable(_ old: CredentialRecord, by order: KeyOrder) throws(Failure) {
        guard old.holder == order.holder else {
            throw Failure(.registryConflict, "The credential to be replaced is another holder's.")
        }
        switch old.state {
        case .requested, .generated, .certified:
            throw Failure(
                .wrongState,
                "The credential to be replaced is \(old.state.rawValue) and not in effect; revoke it first.")
        default: break
        }
    }

    private func offer(for order: KeyOrder) throws(Failure) -> RegistrationSettings.Offer {
        let wanted = order.keyType
        guard let offer = wanted.map({ type in settings.offers.first { $0.keyType == type } }) ?? settings.offers.first
        else {
            let offered = settings.offers.map(\.keyType.rawValue).joined(separator: ", ")
            throw Failure(.keyTypeNotOffered, "Keys made here are of the types \(offered).")
        }
        return offer
    }

    /// Makes the key in the credential's turn; who waited for another that made it gets what that one made.
    private func generate(
        _ ordered: CredentialRecord, _ holder: RegisteredHolder, _ ask: Ask
    ) async throws(Failure) -> CredentialRecord {
        try await turns.take(ordered.id, for: ask.authority) { () async throws(Failure) in
            var record = try await owned(ordered.id, ask)
            guard record.state == .requested else { return record }
            // Where the mode was changed since the order, the key is made as the configuration has it now.
            record.custody = settings.mode.rawValue
            return try await make(record, holder, ask)
        }
    }

    /// Makes the key, has it prove its possession under a permit and an intent of its own, and stores the request.
    private func make(
        _ record: CredentialRecord, _ holder: RegisteredHolder, _ ask: Ask
    ) async throws(Failure) -> CredentialRecord {
        let new = try await makeKey(record)
        defer { if let spare = new.spare { spares.release(spare) } }
        failpoint.pass("core.key-made")
        do {
            return try await prove(new, record, holder, ask)
        } catch {
            // A resident key that nothing will know; what the log could not answer for is left as it is.
            if case .resident(let keyID) = new.material, error.kind != .auditUnavailable {
                try? await custody.destroyResident(keyID)
            }
            throw error
        }
    }

    private func prove(
        _ new: NewKey, _ record: CredentialRecord, _ holder: RegisteredHolder, _ ask: Ask
    ) async throws(Failure) -> CredentialRecord {
        let request = try certificationRequest(record, holder.record, new.publicKey)
        let key: SigningKey
        do {
            key = SigningKey(
                credential: record.id, holder: record.holder, material: new.material, keyType: record.keyType,
                algorithm: record.algorithm, publicKey: try VerificationKey(subjectPublicKeyInfo: new.publicKey)
            )
        } catch {
            throw Failure(.keyUnavailable, "The module gave a public key that cannot be read.", cause: "\(error)")
        }
        let value = try await provePossession(of: key, request.bytesToSign, new, ask)
        var next = try moved(record, to: .generated)
        next.publicKey = new.publicKey
        next.request = request.assembled(with: value)
        try await store(
            [Change(from: record.state, next: next)],
            note: "key generated: \(record.keyType.rawValue), \(record.custody)\(new.epochText)", ask
        ) { connection in
            guard try CredentialStore.material(of: record.id, in: connection) == new.material else {
                throw Failure(.registryConflict, "The credential was changed at the same time; read it anew.")
            }
        }
        return next
    }

    private func makeKey(_ record: CredentialRecord) async throws(Failure) -> NewKey {
        do throws(KeyError) {
            switch settings.mode {
            case .resident: return try await custody.makeResidentKey(record.keyType, for: record.id, random: random)
            case .wrapped:
                let epoch = try epochs.current()
                return try await custody.makeWrappedKey(
                    record.keyType, for: record.id, of: record.holder, epoch: epoch,
                    spare: await spares.reserve(record.keyType, epoch: epoch))
            }
        } catch { throw error.failure }
    }

    private func certificationRequest(
        _ record: CredentialRecord, _ holder: HolderRecord, _ publicKey: [UInt8]
    ) throws(Failure) -> CertificationRequest {
        do {
            let subject = try CertificationSubject.name(
                romajiName: holder.romajiName, identifier: holder.id.description)
            return CertificationRequest(
                subjectPublicKeyInfo: publicKey, subject: subject, algorithm: record.algorithm)
        } catch {
            throw Failure(
                .malformedRequest, "The holder's name in Latin letters, or the id, cannot stand in a certificate.")
        }
    }

    private func provePossession(
        of key: SigningKey, _ bytes: [UInt8], _ new: NewKey, _ ask: Ask
    ) async throws(Failure) -> [UInt8] {
        let permit: Permit
        do {
            permit = try policies.permitPossession(on: Digest(of: bytes), of: key.holder, by: ask.party)
        } catch { throw error.failure }
        let use = KeyUse(
            signature: SignatureID(random: random), credential: key.credential,
            certificate: Digest(of: new.publicKey), bytesToSign: bytes, custody: custody.custody,
            requestID: ask.requestID, prescription: nil
        )
        let lease: UseLease
        do { lease = try custody.gate.enter(key.credential) } catch { throw error.failure }
        let intent: Intent
        do {
            intent = try await log.recordIntent(permit, use: use) { connection, _ in
                guard try CredentialStore.state(of: key.credential, in: connection) == .requested else {
                    throw Failure(.registryConflict, "The credential was changed at the same time; read it anew.")
                }
                if let spare = new.spare, try !SpareKeyStore.take(spare, in: connection) {
                    throw Failure(.registryConflict, "The spare key was taken at the same time; ask again.")
                }
                try CredentialStore.put(new.material, of: key.credential, in: connection)
            }
        } catch { throw error.failure }
        do {
            let value = try await custody.sign(
                intent, as: key, holding: lease, until: .now.advanced(by: .seconds(10))
            ) { _ in { _, _ in } }
            return try await recorded(value)
        } catch { throw error.failure }
    }

    private func recorded(_ value: consuming SignatureValue) async throws(KeyError) -> [UInt8] {
        do { return try await value.recorded(in: log) { _ in { _, _ in } }.value } catch { throw .auditStopped }
    }
}

extension NewKey {
    /// The epoch in words for the record.
    fileprivate var epochText: String {
        if case .wrapped(let wrapped) = material { ", epoch \(wrapped.epoch)" } else { "" }
    }
}

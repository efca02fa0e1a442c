import Audit
import Certificates
import CoreProtocol
import HPKI
import Identity
import Keys
import Storage

// A card's login: front attests to TLS, everything else is judged here.
extension Platform {
    func logIn(_ evidence: CardEvidence, _ requestID: String) async throws(Failure) -> PlatformReply {
        guard let cards = evidence.kind == .hpki ? hpki : jpki else {
            throw Failure(.notFound, "Cards of this kind are not taken here.")
        }
        let (kind, now) = (evidence.kind.rawValue, clock.now())
        let certificate: HPKICertificate
        do { certificate = try HPKICertificate(der: evidence.certificate) } catch {
            throw CardRefusal.wrongCard.failure(kind, "unreadable")
        }
        // Until the path holds, the certificate may be anybody's work: nobody is looked up by it, and nothing recorded.
        try cards.judge(certificate, at: now, kind: kind)
        let found = try await holder(of: certificate, evidence.kind, cards)
        do {
            try await mustBeEnabled(found.holder, kind)
        } catch {
            guard error.kind == .loginRefused else { throw error }
            let record = LoginRecord(
                note: "login refused: \(kind) card", holder: found.holder, session: nil, client: evidence.client,
                requestID: requestID)
            do { try await log.recordRefusal(of: record, code: error.reasons.first ?? "-") } catch let fault {
                throw fault.failure
            }
            throw error
        }
        return try await open(found, evidence, requestID, at: now)
    }

    /// A holder that a card belongs to, and the link that is to be moved to it.
    private struct Found {
        let holder: HolderID
        /// The card itself where the holder's link still names its predecessor.
        let moves: CardLinkStore.Card?
    }

    private func holder(
        of certificate: HPKICertificate, _ kind: CardEvidence.Kind, _ cards: CardWatch
    ) async throws(Failure) -> Found {
        switch kind {
        case .hpki:
            guard !certificate.roles.isEmpty, let text = certificate.subject.first(OID.serialNumber),
                let id = HolderID(text)
            else {
                throw CardRefusal.wrongCard.failure(kind.rawValue, "no-qualification")
            }
            guard try await read({ try HolderStore.exists(id, in: $0) }) else {
                throw CardRefusal.unknownHolder.failure(kind.rawValue, "unknown-holder")
            }
            return Found(holder: id, moves: nil)
        case .jpki:
            let card = CardLinkStore.Card(
                issuerKey: certificate.authorityKeyIdentifier ?? [], serial: certificate.serialNumber)
            guard !card.issuerKey.isEmpty else { throw CardRefusal.wrongCard.failure(kind.rawValue, "no-issuer-key") }
            if let id = try await read({ try CardLinkStore.holder(of: card, in: $0) }) {
                return Found(holder: id, moves: nil)
            }
            // Never by guess: a renewed card is its holder's only where the official service says which it follows.
            guard let before = cards.predecessor(of: card),
                let id = try await read({ try CardLinkStore.holder(of: before, in: $0) })
            else { throw CardRefusal.unlinked.failure(kind.rawValue, "unlinked") }
            return Found(holder: id, moves: card)
        }
    }

    /// Throws where the holder is disabled, or had second keys and none of them is good any more.
    func mustBeEnabled(_ holder: HolderID, _ kind: String) async throws(Failure) {
        let (isEnabled, keys) = try await read { connection in
            (
                try HolderStore.isEnabled(holder, in: connection),
                try CredentialStore.records(of: holder, limit: 256, in: connection)
            )
        }
        let isOver =
            !keys.isEmpty
            && keys.allSatisfy { key in
                switch key.state {
                case .revoked, .expired, .destructionPending, .destroyed: true
                case .requested, .generated, .certified, .active, .suspended: false
                }
            }
        guard isEnabled, !isOver else { throw CardRefusal.disabled.failure(kind, isOver ? "no-valid-key" : "disabled") }
    }

    /// Ends the session of a holder who may not log in any more, and throws why.
    func mustStillBeEnabled(_ session: LoginSession, _ requestID: String) async throws(Failure) {
        do { try await mustBeEnabled(session.holder, session.method == .jpkiCard ? "jpki" : "hpki") } catch {
            guard error.kind == .loginRefused else { throw error }
            try await end(session, note: "session ended: holder disabled, or without a key that is good", requestID)
            throw error
        }
    }

    private func open(
        _ found: Found, _ evidence: CardEvidence, _ requestID: String, at now: Instant
    ) async throws(Failure) -> PlatformReply {
        let secret = secret()
        let session = LoginSession(
            id: Hex.encode(random.bytes(16)), holder: found.holder,
            method: evidence.kind == .hpki ? .hpkiCard : .jpkiCard, attestedBy: "front",
            certificate: evidence.certificate, authenticatedAt: now.wholeSecond,
            endsAt: now.wholeSecond.adding(seconds: window.seconds))
        let digest = Digest(of: Array(secret.utf8))
        let record = LoginRecord(
            note: found.moves == nil ? "session opened" : "session opened; the link follows the renewed card",
            holder: found.holder, session: session.text, client: evidence.client, requestID: requestID)
        do {
            try await log.record(record) { connection, _ in
                guard try HolderStore.isEnabled(session.holder, in: connection) else {
                    throw CardRefusal.disabled.failure(evidence.kind.rawValue, "disabled")
                }
                if let card = found.moves {
                    guard try CardLinkStore.link(card, to: session.holder, at: now, in: connection) else {
                        throw CardRefusal.unlinked.failure(evidence.kind.rawValue, "linked-to-another")
                    }
                }
                try SessionStore.insert(session, secret: digest, in: connection)
            }
        } catch { throw error.failure }
        return .opened(
            SessionFacts(
                id: session.id, holder: session.holder, method: session.method,
                authenticatedAt: session.authenticatedAt, endsAt: session.endsAt, clients: [], isCurrent: true),
            secret: secret)
    }
}

internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Platform

/// The one page of a card host: what TLS saw of the card becomes a session, or a page says what was wrong with it.
///
/// The host knows nothing of the browser but the ticket in the address, and keeps nothing for the next login.
struct CardRoutes: Sendable {
    let front: PlatformFront
    let kind: CardKind
    let tls: ConnectionFacts

    func add(to router: Router<APIContext>) {
        router.get("/login/card") { request, context in
            var response = try await front.visited(request, context) { (visit) async throws(Failure) in
                let fields = try URLFields(visit.page.query, known: ["ceremony", "ticket", "lang"])
                return try await answer(fields["ceremony"] ?? "", fields["ticket"] ?? "", context, visit)
            }
            // One handshake, one answer: whoever uses the connection next would have this card without its PIN.
            response.headers[.connection] = "close"
            return response
        }
    }

    private func answer(
        _ id: String, _ ticket: String, _ context: APIContext, _ visit: PlatformVisit
    ) async throws(Failure) -> Response {
        let ceremony: Ceremony
        switch front.ceremonies.enter(id, ticket: ticket, at: kind.evidence) {
        case .unknown: return front.fault("E19", visit)
        case .done: return PageFence.redirect(to: back(id))
        case .open(let found): ceremony = found
        }
        guard let certificate = await tls.clientCertificate(context.channel) else {
            return refused("F1", ceremony, visit)
        }
        if let seconds = await tls.handshakeSeconds(context.channel), seconds > Double(front.settings.choiceSeconds) {
            return refused("F17", ceremony, visit)
        }
        guard certificate.count <= PlatformLimits.certificate else { return refused("F19", ceremony, visit) }
        let evidence = CardEvidence(kind: kind.evidence, certificate: certificate, client: ceremony.request.client)
        do throws(Failure) {
            guard case .opened(let facts, let secret) = try await front.ask(.logIn(evidence), visit.requestID) else {
                throw PlatformFront.unexpected
            }
            let other = Ceremony.Other(facts: facts, secret: secret)
            guard let way = front.ceremonies.leave(id, ticket: ticket, at: kind.evidence, with: other) else {
                // The same address was loaded twice at once: one login is enough.
                await front.end(secret: secret, visit.requestID)
                return PageFence.redirect(to: back(id))
            }
            return PageFence.redirect(to: front.settings.issuer + "/login/continue?ticket=" + way)
        } catch {
            switch error.kind {
            case .loginRefused: return refused(error.reasons.first ?? "F19", ceremony, visit)
            case .revocationUnknown: return refused("F18-unknown", ceremony, visit)
            default: throw error
            }
        }
    }

    /// A page of this host, after which the browser connects anew: another card is another handshake.
    private func refused(_ code: String, _ ceremony: Ceremony, _ visit: PlatformVisit) -> Response {
        let hasChoice = front.clients[ceremony.request.client].map { front.kinds(ceremony.request, $0).count > 1 }
        return front.refusal(
            Failure(.loginRefused, "", reasons: [code, kind.rawValue]), ceremony.request, visit,
            retry: .link(visit.page.place), otherMethod: hasChoice == true ? .link(back(ceremony.id)) : nil)
    }

    private func back(_ id: String) -> String {
        front.settings.issuer + "/login?" + PercentEncoding.query([("ceremony", id)])
    }
}

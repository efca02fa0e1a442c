import Audit
import CoreProtocol
import HPKI
import Identity
import JOSE
import Storage

// Codes: what a session grants to a client.
extension Platform {
    /// Seconds that a code may be used within.
    private static let codeSeconds: Int64 = 60

    func grant(_ order: GrantOrder, _ requestID: String) async throws(Failure) -> String {
        let client = try client(of: order)
        let details = try Self.details(of: order, client)
        let session = try await session(order.secret)
        let now = clock.now()
        try check(session, against: order, client, at: now)
        try await mustStillBeEnabled(session, requestID)
        let code = secret()
        let grant = OAuthGrant(
            id: Hex.encode(random.bytes(16)), session: session.id, client: client.id, redirectURI: order.redirectURI,
            scopes: order.scopes, resources: order.resources, authorizationDetails: details, nonce: order.nonce,
            codeChallenge: order.codeChallenge,
            binding: order.dpopThumbprint.map { .key(thumbprint: $0) },
            codeExpiresAt: now.adding(seconds: Self.codeSeconds))
        let digest = Digest(of: Array(code.utf8))
        let record = LoginRecord(
            note: "code given", holder: session.holder, session: session.text, client: client.id, requestID: requestID)
        do {
            try await log.record(record) { connection, _ in
                guard try HolderStore.isEnabled(session.holder, in: connection),
                    try SessionStore.session(session.id, at: now, in: connection) != nil
                else { throw Failure(.loginRequired, "The session has ended.", reasons: ["ended"]) }
                try GrantStore.insert(grant, code: digest, in: connection)
            }
        } catch { throw error.failure }
        return code
    }

    /// Front has judged the request; what a code is bound to is judged again.
    private func client(of order: GrantOrder) throws(Failure) -> OAuthClient {
        guard let client = clients.client(order.client) else { throw Failure(.invalidClient, "No such client.") }
        guard client.permits(redirectURI: order.redirectURI) else {
            throw Failure(.malformedRequest, "The redirect URI is not one of the client's.")
        }
        guard client.profile == .plain || order.isPushed else {
            throw Failure(.unauthorizedClient, "This client's requests must be pushed (RFC 9126).")
        }
        guard !order.scopes.isEmpty || order.authorizationDetails != nil, Set(order.scopes).isSubset(of: client.scopes),
            Set(order.scopes).count == order.scopes.count
        else { throw Failure(.invalidScope, "A scope is not one that the client may have.") }
        guard Set(order.resources).isSubset(of: client.audiences) else {
            throw Failure(.invalidTarget, "A resource is not one that the client may have tokens for.")
        }
        guard order.codeChallenge.utf8.count == 43, Base64URL.decode(order.codeChallenge)?.count == 32 else {
            throw Failure(.malformedRequest, "code_challenge is not one by S256.")
        }
        return client
    }

    /// What is asked for beyond scopes, of the types that the client may have (RFC 9396 §5).
    private static func details(
        of order: GrantOrder, _ client: OAuthClient
    ) throws(Failure) -> AuthorizationDetails? {
        guard let json = order.authorizationDetails else {
            guard !order.scopes.contains(CredentialAuthorization.Kind.credential.rawValue) else {
                throw Failure(.invalidAuthorizationDetails, "The scope credential needs the documents that it is for.")
            }
            return nil
        }
        let details: AuthorizationDetails
        do { details = try AuthorizationDetails(json) } catch {
            throw Failure(.invalidAuthorizationDetails, "The \(error).")
        }
        guard details.types.isSubset(of: client.authorizationDetailTypes) else {
            throw Failure(.invalidAuthorizationDetails, "A type of authorization_details is not one of the client's.")
        }
        return details
    }

    private func check(
        _ session: LoginSession, against order: GrantOrder, _ client: OAuthClient, at now: Instant
    ) throws(Failure) {
        func again(_ reason: String) -> Failure {
            Failure(.loginRequired, "The session does not do for this request; log in again.", reasons: [reason])
        }
        guard client.methods.contains(session.method),
            order.methods.isEmpty || order.methods.contains(session.method)
        else { throw again("method") }
        if let maxAge = order.maxAge, session.authenticatedAt.adding(seconds: max(0, maxAge)) < now.wholeSecond {
            throw again("max-age")
        }
        if let notBefore = order.notBefore, session.authenticatedAt < notBefore.wholeSecond { throw again("again") }
    }
}

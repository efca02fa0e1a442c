import Certificates
import CoreProtocol
import HPKI
import JOSE
import Synchronization

/// Tells clients by what the operator registered of them.
final class ClientAuthentication: Sendable {
    /// The longest that an assertion may be good for, in seconds: what common client libraries make them for.
    private static let longestAssertion: Int64 = 3600
    /// Assertions remembered at once, of each client.
    private static let limit = 50_000

    /// The clients with the keys that they authenticate by.
    struct Known: Sendable {
        let clients: [ClientID: OAuthClient]
        let keys: [ClientID: JWKSet]
    }

    private let known: Mutex<Known>
    private let audiences: Set<String>
    private let clock: WallClock
    // INVARIANT: each client's assertions that were used and have not expired, by SHA-256 over `jti`.
    private let used = Mutex<[ClientID: [Digest: Instant]]>([:])

    /// Reads the clients' keys; throws `JOSEError` for a set that is unusable.
    init(_ clients: [OAuthClient], audiences: Set<String>, clock: WallClock) async throws(JOSEError) {
        known = Mutex(try await Self.read(clients))
        self.audiences = audiences
        self.clock = clock
    }

    /// Reads the keys of clients that may take the place of those known; throws `JOSEError` for a set that is unusable.
    func prepared(_ clients: [OAuthClient]) async throws(JOSEError) -> Known { try await Self.read(clients) }

    /// Knows these from now on.
    func take(_ next: Known) { known.withLock { $0 = next } }

    static func table(_ clients: [OAuthClient]) -> [ClientID: OAuthClient] {
        Dictionary(clients.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private static func read(_ clients: [OAuthClient]) async throws(JOSEError) -> Known {
        var keys: [ClientID: JWKSet] = [:]
        for client in clients {
            if case .privateKeyJWT(let jwks) = client.authentication { keys[client.id] = try await JWKSet(jwks) }
        }
        return Known(clients: table(clients), keys: keys)
    }

    /// Those registered.
    var table: [ClientID: OAuthClient] { known.withLock { $0.clients } }

    /// A registered client, whoever says so.
    func client(_ id: ClientID) -> OAuthClient? { known.withLock { $0.clients[id] } }

    /// The client that `proof` shows; throws `.invalidClient` with the reason.
    func authenticate(_ proof: ClientProof) throws(Failure) -> OAuthClient {
        let name: String
        if let client = proof.client {
            name = client
        } else if let assertion = proof.assertion, let issuer = try? TokenVerifier.unverifiedIssuer(assertion) {
            name = issuer
        } else {
            throw Self.refused("the request names no client")
        }
        let known = known.withLock { $0 }
        guard let id = ClientID(name), let client = known.clients[id] else { throw Self.refused("no such client") }
        switch client.authentication {
        case .none:
            guard proof.assertion == nil else { throw Self.refused("a public client has no assertion") }
        case .privateKeyJWT:
            guard let assertion = proof.assertion, let keys = known.keys[id] else { throw Self.refused("no assertion") }
            try verify(assertion, of: id, keys)
        case .tlsClientAuth(let subject):
            guard proof.isCertificateTrusted, let der = proof.certificate,
                let certificate = try? HPKICertificate(der: der), certificate.subject.rfc4514 == subject
            else { throw Self.refused("not the registered certificate") }
        case .selfSignedTLSClientAuth(let digests):
            guard let der = proof.certificate, digests.contains(Digest(of: der)) else {
                throw Self.refused("not the registered certificate")
            }
        }
        return client
    }

    /// RFC 7523 §3 and OpenID Connect Core §9.
    private func verify(_ assertion: String, of id: ClientID, _ keys: JWKSet) throws(Failure) {
        let token: VerifiedToken
        do { token = try TokenVerifier.verify(assertion, keys: keys, types: .clientAssertion) } catch {
            throw Self.refused("the assertion: \(error)")
        }
        let now = clock.now()
        guard token.issuer == id.description, token.subject == id.description else {
            throw Self.refused("iss and sub are not the client")
        }
        guard token.audience.contains(where: audiences.contains) else { throw Self.refused("aud is not this server") }
        guard let expires = token.expires, now < expires.adding(seconds: 30),
            expires <= now.adding(seconds: Self.longestAssertion)
        else { throw Self.refused("exp is missing, past, or too far ahead") }
        if let start = token.notBefore, now < start.adding(seconds: -30) { throw Self.refused("not yet valid") }
        guard let jti = token.tokenID, (1...256).contains(jti.utf8.count) else { throw Self.refused("jti") }
        let name = Digest(of: Array(jti.utf8))
        let isNew = used.withLock { used in
            var own = used[id] ?? [:]
            if own.count >= Self.limit { own = own.filter { now < $0.value } }
            defer { used[id] = own }
            guard own[name].map({ $0 <= now }) ?? true, own.count < Self.limit else { return false }
            own[name] = expires.adding(seconds: 30)
            return true
        }
        guard isNew else { throw Self.refused("the assertion was used before") }
    }

    private static func refused(_ cause: String) -> Failure {
        // Which clients there are is no secret: every redirect of theirs tells.
        Failure(.invalidClient, "The client did not prove who it is: \(cause).")
    }
}

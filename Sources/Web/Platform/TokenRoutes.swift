internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Platform

/// The endpoints of client systems: tokens, pushed requests, revocation, introspection, and what a token tells.
struct TokenRoutes: Sendable {
    let front: PlatformFront
    let tls: ConnectionFacts
    /// The origin that requests to this listener name in their proofs.
    let origin: String

    func add(to router: Router<APIContext>) {
        router.post("/oauth2/token") { request, context in
            try await asked(request, context) { (parameters, client) async throws(Failure) in
                let order = try TokenRequest.order(parameters, client: client, proof: try possession(request, client))
                guard case .tokens(let tokens) = try await front.ask(.token(order), context.requestID) else {
                    throw PlatformFront.unexpected
                }
                return Response(tokens: tokens)
            }
        }
        router.post("/oauth2/pushed_authorize") { request, context in
            try await asked(request, context) { (parameters, client) async throws(Failure) in
                try await pushed(parameters, client, try possession(request, client), context)
            }
        }
        router.post("/oauth2/revoke") { request, context in
            try await asked(request, context) { (parameters, client) async throws(Failure) in
                let token = try TokenRequest.token(parameters)
                _ = try await front.ask(.revoke(token: token, by: client), context.requestID)
                return Response(status: .ok)
            }
        }
        router.post("/oauth2/introspect") { request, context in
            try await asked(request, context) { (parameters, client) async throws(Failure) in
                let token = try TokenRequest.token(parameters)
                return try await claims(.introspect(token: token, by: client), context)
            }
        }
        router.get("/oauth2/userinfo") { request, context in try await userInfo(request, context) }
        router.post("/oauth2/userinfo") { request, context in try await userInfo(request, context) }
    }

    private func asked(
        _ request: Request, _ context: APIContext,
        _ body: (RequestParameters, ClientProof) async throws(Failure) -> Response
    ) async throws(Failure) -> Response {
        let parameters = try front.parameters(try await front.form(request, context))
        return try await front.asked(context, client: parameters["client_id"]) { () async throws(Failure) in
            let client = try TokenRequest.client(
                parameters, certificate: await tls.clientCertificate(context.channel),
                isCertificateTrusted: tls.isCertificateTrusted, authorization: request.headers[.authorization] != nil)
            return try await body(parameters, client)
        }
    }

    /// The proof of the key that tokens are to be bound to (RFC 9449 §5, §10.1).
    private func possession(
        _ request: Request, _ client: ClientProof
    ) throws(Failure) -> PresentedToken.Possession? {
        guard let proof = try BearerToken.proof(request.headers) else { return nil }
        return PresentedToken.Possession(
            isDPoP: true, proof: proof, method: request.method.rawValue, url: origin + request.uri.path,
            certificate: client.certificate.map { Digest(of: $0) })
    }

    /// RFC 9126 §2: judged whole before there is a reference to it.
    private func pushed(
        _ parameters: RequestParameters, _ proof: ClientProof, _ possession: PresentedToken.Possession?,
        _ context: APIContext
    ) async throws(Failure) -> Response {
        guard
            case .client(let id, let thumbprint) = try await front.ask(
                .authenticate(proof, proof: possession), context.requestID)
        else { throw PlatformFront.unexpected }
        guard let client = front.clients[id], parameters["client_id"].map({ $0 == id.description }) ?? true else {
            throw Failure(.invalidClient, "The client_id is not that of the client that was authenticated.")
        }
        do {
            guard parameters["request_uri"] == nil else {
                throw AuthorizationFault.untrusted(
                    OAuthError(.invalidRequest, "A pushed request has no request_uri."), client: nil)
            }
            let inner = try await RequestObjects.parameters(
                parameters, of: client, issuer: front.settings.issuer, now: front.clock.now())
            let request = try AuthorizationRequest(
                inner, of: client, isPushed: true, proven: thumbprint,
                hinted: await front.hinted(inner, client, context.requestID))
            let reference = try front.pushed.push(request)
            var json = JSONWriter(capacity: 256)
            json.plain("request_uri", reference)
            json.integer("expires_in", front.pushed.lifetime)
            return Response(json: json.finish(), status: .created)
        } catch let fault as AuthorizationFault {
            return Response(oauthError: fault.error.code.rawValue, fault.error.description, status: 400)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw PlatformFront.unexpected
        }
    }

    private func userInfo(_ request: Request, _ context: APIContext) async throws -> Response {
        let bearer = try BearerToken(request.headers)
        return try await front.asked(context, client: bearer.claimedClient) { () async throws(Failure) in
            let token = bearer.presented(
                method: request.method.rawValue, url: origin + request.uri.path,
                certificate: await tls.clientCertificate(context.channel))
            return try await claims(.userInfo(token), context)
        }
    }

    private func claims(_ act: PlatformAct, _ context: APIContext) async throws(Failure) -> Response {
        guard case .claims(let json) = try await front.ask(act, context.requestID) else {
            throw PlatformFront.unexpected
        }
        return Response(json: JSONWriter.whole(json))
    }
}

extension Response {
    /// A token response (RFC 6749 §5.1); `Cache-Control: no-store` comes from the middleware.
    fileprivate init(tokens: TokenAnswer) {
        var json = JSONWriter(capacity: 4096)
        json.string("access_token", tokens.accessToken)
        json.plain("token_type", tokens.isDPoP ? "DPoP" : "Bearer")
        json.integer("expires_in", tokens.expiresIn)
        if let refresh = tokens.refreshToken { json.string("refresh_token", refresh) }
        if let id = tokens.idToken { json.string("id_token", id) }
        if !tokens.scopes.isEmpty { json.string("scope", tokens.scopes.joined(separator: " ")) }
        if let details = tokens.authorizationDetails { json.json("authorization_details", details) }
        self.init(json: json.finish())
        if let nonce = tokens.nonce { headers[.dpopNonce] = nonce }
    }

    /// An error in the words of RFC 6749 §5.2.
    init(oauthError error: String, _ description: String, status: Int) {
        var json = JSONWriter(capacity: 256)
        json.string("error", error)
        json.string("error_description", Challenge.quotable(description))
        self.init(json: json.finish(), status: HTTPResponse.Status(code: status))
    }
}

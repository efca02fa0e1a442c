internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Platform

/// What everybody may know: what the platform offers, and the keys that its tokens are signed with.
struct MetadataRoutes: Sendable {
    let front: PlatformFront
    let mutualTLSOrigin: String?

    func add(to router: Router<APIContext>) {
        let clients = front.settings.clients
        let metadata = ServerMetadata(
            issuer: front.settings.issuer, mutualTLSOrigin: mutualTLSOrigin, methods: front.settings.methods,
            scopes: Set(clients.flatMap(\.scopes) + ["openid"]).sorted(),
            authorizationDetailTypes: Set(clients.flatMap(\.authorizationDetailTypes)).sorted()
        ).json
        for name in ["openid-configuration", "oauth-authorization-server"] {
            router.get("/.well-known/\(name)") { _, context in
                try await front.asked(context, client: "metadata") { () async throws(Failure) in
                    Self.open(JSONWriter.whole(metadata))
                }
            }
        }
        router.get("/oauth2/jwks") { _, context in
            try await front.asked(context, client: "metadata") { () async throws(Failure) in
                guard case .claims(let keys) = try await front.ask(.keys, context.requestID) else {
                    throw PlatformFront.unexpected
                }
                return Self.open(JSONWriter.whole(keys))
            }
        }
    }

    /// Scripts of any page may read it; nothing else of the platform is open to them.
    private static func open(_ json: ByteBuffer) -> Response {
        var response = Response(json: json)
        response.headers[.accessControlAllowOrigin] = "*"
        return response
    }
}

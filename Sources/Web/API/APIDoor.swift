internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Host
internal import Hummingbird
internal import NIOCore
internal import Signing

/// A request's token with what came beside it, and whom it counts for.
struct CallerToken {
    let claimedClient: String
    let presented: PresentedToken
}

/// What every route of the API does before and around its own work: token, admission, body, refusals on record.
struct APIDoor {
    let core: any CoreCalling
    let admission: Admission
    let limits: WebSettings.Limits
    let failpoint: Failpoint
    /// The origin that clients see, which DPoP proofs name.
    let publicOrigin: String
    /// What a connection's client showed in TLS.
    let clientCertificate: @Sendable (any Channel) async -> [UInt8]?

    /// Reads the token and counts the request in and out, before any of its body is read.
    func admitted(
        _ request: Request, _ context: APIContext,
        _ body: (CallerToken, HeldBytes) async throws(Failure) -> Response
    ) async throws(Failure) -> Response {
        let bearer = try BearerToken(request.headers)
        let token = CallerToken(
            claimedClient: bearer.claimedClient,
            presented: bearer.presented(
                method: request.method.rawValue, url: publicOrigin + request.uri.path,
                certificate: await clientCertificate(context.channel)))
        let key = ClientKey(address: context.peer, client: token.claimedClient)
        try admission.enter(key)
        let held = HeldBytes(admission, address: context.peer)
        defer {
            held.release()
            admission.leave(key)
        }
        return try await body(token, held)
    }

    /// Tells core of what front refuses here, so that it is recorded where the token makes a known caller.
    ///
    /// What core says to that comes first: a token that is none, or an audit that cannot be written.
    func recorded<Value>(
        _ form: DocumentForm, _ token: CallerToken, _ context: APIContext,
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        do {
            return try await body()
        } catch {
            guard error.kind != .overloaded, error.kind != .tooManyRequests else { throw error }
            try admission.startWork()
            defer { admission.finishWork() }
            let notice = RefusalNotice(
                requestID: context.requestID, token: token.presented, form: form, kind: error.kind
            )
            _ = try await core.call(.refuse(notice), deadline: deadline)
            throw error
        }
    }

    /// Takes a place among the work in hand while `body` runs.
    func working(_ body: () async throws(Failure) -> Response) async throws(Failure) -> Response {
        try admission.startWork()
        defer { admission.finishWork() }
        failpoint.pass("front.accepted")
        let response = try await body()
        failpoint.pass("front.before-answer")
        return response
    }

    func read(
        _ request: Request, _ context: APIContext, _ token: CallerToken, _ held: HeldBytes, known: [String]
    ) async throws(Failure) -> (RequestFields, RequestOrigin) {
        guard request.headers.count <= limits.headerCount else {
            throw Failure(.tooManyHeaders, "The request has more than \(limits.headerCount) header fields.")
        }
        try request.requireJSON()
        let key = try Self.idempotencyKey(request.headers)
        let fields = try RequestFields(try await request.collectBody(limits, held), known: known + ["receipt"])
        let receipt = try fields.text("receipt")
        guard receipt == nil || receipt == "full" || receipt == "short" else {
            throw Failure(.malformedRequest, "The field receipt must be short or full.")
        }
        var credential: CredentialID?
        if let text = try fields.text("credentialID") {
            credential = CredentialID(text)
            if credential == nil {
                throw Failure(.malformedRequest, "The field credentialID must be 1 to 64 printable ASCII characters.")
            }
        }
        return (
            fields,
            RequestOrigin(
                requestID: context.requestID, token: token.presented, client: token.claimedClient,
                credential: credential,
                idempotencyKey: key, wantsReceipt: receipt == "full", deadline: deadline
            )
        )
    }

    /// The receipt of a signature that was just made, where the caller wants it in the answer.
    ///
    /// A signature is not withheld for want of it: the receipt can be asked for later.
    func receipt(_ signature: SignatureID, _ origin: RequestOrigin, _ sign: SignDocument) async -> [UInt8]? {
        guard origin.wantsReceipt else { return nil }
        return try? await sign.receipt(token: origin.token, signature: signature, deadline: origin.deadline)
    }

    var deadline: UInt64 { Monotonic.now + UInt64(limits.answerSeconds) * 1_000_000_000 }

    private static func idempotencyKey(_ headers: HTTPFields) throws(Failure) -> String? {
        let fields = headers[values: .idempotencyKey]
        guard let key = fields.first else { return nil }
        guard fields.count == 1, (1...255).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw Failure(
                .invalidIdempotencyKey, "There must be one Idempotency-Key of 1 to 255 printable ASCII characters."
            )
        }
        return key
    }
}

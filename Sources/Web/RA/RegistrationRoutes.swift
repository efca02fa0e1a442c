internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Host
internal import Hummingbird
internal import NIOCore

/// The registration authorities' door: the client certificate says who asks, and core whether that is anybody.
struct RegistrationRoutes {
    /// Seconds for the generation of a key: an RSA key of 4096 bits takes many in a software token.
    private static let keySeconds = 30

    let core: any CoreCalling
    let admission: Admission
    let limits: WebSettings.Limits
    let clientCertificate: @Sendable (any Channel) async -> [UInt8]?

    func add(to router: Router<APIContext>) {
        let group = router.group("/ra/v1")
        addHolders(to: group)
        addCredentials(to: group)
        addTransitions(to: group)
        addImports(to: group)
        group.get("openapi.json") { _, _ in
            Response(json: ByteBuffer(bytes: PackageResources.openapi_json))
        }
    }

    private func addHolders(to group: RouterGroup<APIContext>) {
        group.get("holders") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                let query = try asked.query(known: ["after", "limit"])
                return .listHolders(
                    after: try query.identifier("after", HolderID.init),
                    limit: try query.limit(atMost: RegistrationLimits.holders)
                )
            }
        }
        group.get("holders/{holder}") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in .holder(try asked.holder()) }
        }
        group.put("holders/{holder}") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                let fields = try await asked.fields(HolderRecord.fieldNames)
                return .putHolder(try HolderRecord(id: try asked.holder(), fields))
            }
        }
        for (word, isEnabled) in [("enable", true), ("disable", false)] {
            group.post("holders/{holder}/\(word)") { request, context in
                try await answer(request, context) { (asked) async throws(Failure) in
                    _ = try await asked.optionalFields([])
                    return .enable(try asked.holder(), isEnabled)
                }
            }
        }
    }

    private func addCredentials(to group: RouterGroup<APIContext>) {
        group.get("credentials") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                let query = try asked.query(known: ["holder", "after", "limit"])
                return .listCredentials(
                    of: try query.identifier("holder", HolderID.init),
                    after: try query.identifier("after", CredentialID.init),
                    limit: try query.limit(atMost: RegistrationLimits.credentials)
                )
            }
        }
        group.get("credentials/{credential}") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                .credential(try asked.credential())
            }
        }
        group.put("credentials/{credential}") { request, context in
            try await answer(request, context, seconds: Self.keySeconds) { (asked) async throws(Failure) in
                let fields = try await asked.fields(["holder", "keyType", "replaces"])
                return .requestKey(
                    KeyOrder(
                        credential: try asked.credential(),
                        holder: try fields.requiredIdentifier("holder", HolderID.init),
                        keyType: try fields.keyType(), replaces: try fields.identifier("replaces", CredentialID.init)
                    )
                )
            }
        }
        group.get("credentials/{credential}/request") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                .certificationRequest(try asked.credential())
            }
        }
    }

    private func addTransitions(to group: RouterGroup<APIContext>) {
        group.post("credentials/{credential}/certificate") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                let fields = try await asked.fields(["certificate", "takesOverAt"])
                let certificate = try fields.requiredBase64(
                    "certificate", atMost: RegistrationLimits.certificateBytes
                )
                return .deliver(
                    try asked.credential(), certificate: certificate, takesOverAt: try fields.instant("takesOverAt")
                )
            }
        }
        group.post("credentials/{credential}/suspend") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                let reason = try await asked.optionalFields(["reason"]).reason()
                return .suspend(try asked.credential(), reason: reason ?? .certificateHold)
            }
        }
        group.post("credentials/{credential}/revoke") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                let fields = try await asked.fields(["reason"])
                guard let reason = try fields.reason() else { throw fields.missing("reason") }
                guard reason != .certificateHold else {
                    throw Failure(.malformedRequest, "The reason certificateHold suspends; it does not revoke.")
                }
                return .revoke(try asked.credential(), reason: reason)
            }
        }
        group.post("credentials/{credential}/resume") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                _ = try await asked.optionalFields([])
                return .resume(try asked.credential())
            }
        }
        group.post("credentials/{credential}/destroy") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                _ = try await asked.optionalFields([])
                return .destroy(try asked.credential())
            }
        }
        group.post("revocation-lists") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                let fields = try await asked.fields(["list"])
                return .takeRevocationList(
                    try fields.requiredBase64("list", atMost: RegistrationLimits.revocationListBytes)
                )
            }
        }
    }

    private func addImports(to group: RouterGroup<APIContext>) {
        group.put("imports/{import}") { request, context in
            try await answer(request, context, status: .accepted) { (asked) async throws(Failure) in
                let fields = try await asked.fields(["rows"], values: ImportRow.values)
                return .startImport(name: try asked.importName(), rows: try ImportRow.rows(fields))
            }
        }
        group.get("imports/{import}") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                .importJob(name: try asked.importName())
            }
        }
        group.get("imports/{import}/rows") { request, context in
            try await answer(request, context) { (asked) async throws(Failure) in
                let query = try asked.query(known: ["from", "limit"])
                return .importRows(
                    name: try asked.importName(), from: UInt32(try query.integer("from", in: 0...Int(UInt32.max)) ?? 0),
                    limit: try query.limit(atMost: RegistrationLimits.reportRows)
                )
            }
        }
    }

    // MARK: What every route does

    /// Finds who asks and counts the request in and out, has `read` make an act of it, and answers what core says.
    private func answer(
        _ request: Request, _ context: APIContext, status: HTTPResponse.Status = .ok, seconds: Int? = nil,
        _ read: (RegistrationRequest) async throws(Failure) -> RegistrationCommand.Act
    ) async throws -> Response {
        guard let certificate = await clientCertificate(context.channel),
            certificate.count <= RegistrationLimits.certificateBytes
        else {
            throw Failure(.unknownAuthority, "The connection shows no client certificate of an authority.")
        }
        // One authority is one client, from however many addresses it comes.
        let key = ClientKey(address: "", client: Digest(of: certificate).hex)
        try admission.enter(key)
        let held = HeldBytes(admission, address: context.peer)
        defer {
            held.release()
            admission.leave(key)
        }
        let asked = RegistrationRequest(request: request, context: context, limits: limits, held: held)
        try asked.checkHeaders()
        let command = RegistrationCommand(
            requestID: context.requestID, party: .authority(certificate: certificate), act: try await read(asked)
        )
        try admission.startWork()
        defer { admission.finishWork() }
        let deadline = Monotonic.now + UInt64(seconds ?? limits.answerSeconds) * 1_000_000_000
        guard case .registration(let reply) = try await core.call(.registration(command), deadline: deadline) else {
            throw Failure(.unexpected, "The service met a fault of its own.", cause: "core gave another answer")
        }
        return Response(registration: reply, status: status, asDER: asked.takesPKCS10)
    }
}

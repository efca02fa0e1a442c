internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird

extension Response {
    /// What the registry answered, in JSON; a certification request in DER where `asDER` says so.
    init(registration reply: RegistrationReply, status: HTTPResponse.Status, asDER: Bool) {
        if asDER, case .certificationRequest(let request) = reply {
            self.init(
                status: status, headers: [.contentType: "application/pkcs10"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: request))
            )
            return
        }
        var json = JSONWriter(capacity: 4096)
        json.registration(reply)
        self.init(json: json.finish(), status: status)
    }
}

extension JSONWriter {
    /// The members of an answer of the registry.
    mutating func registration(_ reply: RegistrationReply) {
        switch reply {
        case .holder(let facts): holder(facts)
        case .holders(let holders, let next):
            objects("holders", holders) { $0.holder($1) }
            if let next { string("next", next.description) }
        case .credential(let facts): credential(facts)
        case .credentials(let credentials, let next):
            objects("credentials", credentials) { $0.credential($1) }
            if let next { string("next", next.description) }
        case .certificationRequest(let request): plain("request", Base64.encode(request))
        case .revocationList(let facts):
            string("issuer", facts.issuer)
            time("thisUpdate", facts.thisUpdate)
            time("nextUpdate", facts.nextUpdate)
            integer("entries", facts.entries)
            strings("revoked", facts.revoked.map(\.description))
        case .importJob(let facts):
            string("name", facts.name)
            integer("total", facts.total)
            integer("done", facts.done)
            integer("failed", facts.failed)
            boolean("finished", facts.isFinished)
        case .importRows(let rows):
            objects("rows", rows) { json, facts in
                json.integer("row", facts.row)
                json.string("holder", facts.holder.description)
                if let credential = facts.credential { json.string("credential", credential.description) }
                json.string("outcome", RegistrationFile.outcome(facts))
                if let detail = facts.detail { json.string("detail", detail) }
            }
        }
    }

    private mutating func holder(_ facts: HolderFacts) {
        let record = facts.record
        string("id", record.id.description)
        string("romajiName", record.romajiName)
        string("japaneseName", record.japaneseName)
        strings("roles", record.roles.map(\.description))
        objects("registerNumbers", record.registerNumbers) {
            $0.string("register", $1.register)
            $0.string("number", $1.number)
        }
        boolean("enabled", facts.isEnabled)
    }

    private mutating func credential(_ facts: CredentialFacts) {
        string("id", facts.id.description)
        string("holder", facts.holder.description)
        plain("state", facts.state.rawValue)
        plain("keyType", facts.keyType.rawValue)
        string("custody", facts.custody)
        if let key = facts.publicKey { plain("publicKey", Base64.encode(key)) }
        if let certificate = facts.certificate { plain("certificate", Base64.encode(certificate)) }
        if let replaces = facts.replaces { string("replaces", replaces.description) }
        time("takesOverAt", facts.takesOverAt)
        if let reason = facts.reason { plain("reason", reason.name) }
        time("changedAt", facts.changedAt)
    }

    /// A time of the years 0 to 9999, as all of the registry's are.
    private mutating func time(_ name: StaticString, _ instant: Instant?) {
        if let text = instant?.rfc3339 { plain(name, text) }
    }
}

import HPKI

extension PlatformReply {
    func write(to writer: inout WireWriter) {
        switch self {
        case .opened(let facts, let secret):
            writer.uint8(1)
            facts.write(to: &writer)
            writer.text(secret)
        case .session(let facts):
            writer.uint8(2)
            facts.write(to: &writer)
        case .sessions(let all):
            writer.uint8(3)
            writer.list(all) { $1.write(to: &$0) }
        case .code(let code):
            writer.uint8(4)
            writer.text(code)
        case .tokens(let answer):
            writer.uint8(5)
            writer.text(answer.accessToken)
            writer.flag(answer.isDPoP)
            writer.integer(answer.expiresIn)
            writer.optional(answer.idToken) { $0.text($1) }
            writer.optional(answer.refreshToken) { $0.text($1) }
            writer.words(answer.scopes)
            writer.optional(answer.authorizationDetails) { $0.data($1) }
            writer.optional(answer.nonce) { $0.text($1) }
        case .client(let client, let thumbprint):
            writer.uint8(6)
            writer.text(client.description)
            writer.optional(thumbprint) { $0.text($1) }
        case .claims(let json):
            writer.uint8(7)
            writer.data(json)
        case .ended(let client):
            writer.uint8(8)
            writer.optional(client) { $0.text($1.description) }
        case .logouts(let notices):
            writer.uint8(9)
            writer.list(notices) { writer, notice in
                writer.integer(notice.number)
                writer.text(notice.client.description)
                writer.text(notice.url)
                writer.text(notice.logoutToken)
            }
        case .noted: writer.uint8(10)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.uint8() {
        case 1: self = .opened(try SessionFacts(from: &reader), secret: try reader.secret())
        case 2: self = .session(try SessionFacts(from: &reader))
        case 3:
            self = .sessions(
                try reader.list(atMost: PlatformLimits.many) { (reader) throws(WireError) in
                    try SessionFacts(from: &reader)
                })
        case 4: self = .code(try reader.secret())
        case 5:
            self = .tokens(
                TokenAnswer(
                    accessToken: try reader.token(), isDPoP: try reader.flag(), expiresIn: try reader.integer(),
                    idToken: try reader.optional { (reader) throws(WireError) in try reader.token() },
                    refreshToken: try reader.optional { (reader) throws(WireError) in try reader.secret() },
                    scopes: try reader.words(), authorizationDetails: try reader.details(),
                    nonce: try reader.optional { (reader) throws(WireError) in try reader.text(atMost: 128) }))
        case 6:
            self = .client(
                try reader.clientID(),
                thumbprint: try reader.optional { (reader) throws(WireError) in try reader.text(atMost: 128) })
        case 7: self = .claims(try reader.data(atMost: PlatformLimits.json))
        case 8:
            self = .ended(client: try reader.optional { (reader) throws(WireError) in try reader.clientID() })
        case 9:
            self = .logouts(
                try reader.list(atMost: PlatformLimits.many) { (reader) throws(WireError) in
                    LogoutNotice(
                        number: try reader.integer(), client: try reader.clientID(),
                        url: try reader.text(atMost: PlatformLimits.url), logoutToken: try reader.token())
                })
        case 10: self = .noted
        default: throw .invalidValue
        }
    }
}

extension SessionFacts {
    fileprivate func write(to writer: inout WireWriter) {
        writer.text(id)
        writer.text(holder.description)
        writer.text(method.rawValue)
        writer.integer(authenticatedAt.milliseconds)
        writer.integer(endsAt.milliseconds)
        writer.list(clients) { $0.text($1.description) }
        writer.flag(isCurrent)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        let id = try reader.text(atMost: 64)
        guard let holder = HolderID(try reader.text(atMost: 64)) else { throw .invalidValue }
        self.init(
            id: id, holder: holder, method: try reader.method(),
            authenticatedAt: Instant(milliseconds: try reader.integer()),
            endsAt: Instant(milliseconds: try reader.integer()),
            clients: try reader.list(atMost: PlatformLimits.many) { (reader) throws(WireError) in
                try reader.clientID()
            },
            isCurrent: try reader.flag())
    }
}

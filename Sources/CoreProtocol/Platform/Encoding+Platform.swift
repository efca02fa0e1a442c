import HPKI

extension PlatformCommand {
    func write(to writer: inout WireWriter) {
        writer.text(requestID)
        act.write(to: &writer)
    }

    init(from reader: inout WireReader) throws(WireError) {
        requestID = try reader.text(atMost: 64)
        act = try PlatformAct(from: &reader)
    }
}

extension PlatformAct {
    fileprivate func write(to writer: inout WireWriter) {
        switch self {
        case .logIn(let evidence):
            writer.uint8(1)
            writer.text(evidence.kind.rawValue)
            writer.data(evidence.certificate)
            writer.optional(evidence.client) { $0.text($1.description) }
        case .session(let secret):
            writer.uint8(2)
            writer.text(secret)
        case .sessions(let secret):
            writer.uint8(3)
            writer.text(secret)
        case .grant(let order):
            writer.uint8(4)
            order.write(to: &writer)
        case .token(let order):
            writer.uint8(5)
            order.write(to: &writer)
        case .authenticate(let proof, let possession):
            writer.uint8(6)
            proof.write(to: &writer)
            writer.possession(possession)
        case .introspect(let token, let proof):
            writer.uint8(7)
            writer.text(token)
            proof.write(to: &writer)
        case .revoke(let token, let proof):
            writer.uint8(8)
            writer.text(token)
            proof.write(to: &writer)
        case .userInfo(let token):
            writer.uint8(9)
            token.write(to: &writer)
        case .keys: writer.uint8(10)
        case .end(let order):
            writer.uint8(11)
            order.write(to: &writer)
        case .logouts: writer.uint8(12)
        case .told(let logout, let isDone):
            writer.uint8(13)
            writer.integer(logout)
            writer.flag(isDone)
        case .logoutToken(let token):
            writer.uint8(14)
            writer.text(token)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        switch try reader.uint8() {
        case 1:
            guard let kind = CardEvidence.Kind(rawValue: try reader.text(atMost: 16)) else { throw .invalidValue }
            self = .logIn(
                CardEvidence(
                    kind: kind, certificate: try reader.data(atMost: PlatformLimits.certificate),
                    client: try reader.optional { (reader) throws(WireError) in try reader.clientID() }))
        case 2: self = .session(secret: try reader.secret())
        case 3: self = .sessions(secret: try reader.secret())
        case 4: self = .grant(try GrantOrder(from: &reader))
        case 5: self = .token(try TokenOrder(from: &reader))
        case 6: self = .authenticate(try ClientProof(from: &reader), proof: try reader.possession())
        case 7: self = .introspect(token: try reader.token(), by: try ClientProof(from: &reader))
        case 8: self = .revoke(token: try reader.token(), by: try ClientProof(from: &reader))
        case 9: self = .userInfo(try PresentedToken(from: &reader))
        case 10: self = .keys
        case 11: self = .end(try EndOrder(from: &reader))
        case 12: self = .logouts
        case 13: self = .told(logout: try reader.integer(), isDone: try reader.flag())
        case 14: self = .logoutToken(try reader.token())
        default: throw .invalidValue
        }
    }
}

extension ClientProof {
    fileprivate func write(to writer: inout WireWriter) {
        writer.optional(client) { $0.text($1) }
        writer.optional(assertion) { $0.text($1) }
        writer.optional(certificate) { $0.data($1) }
        writer.flag(isCertificateTrusted)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(
            client: try reader.optional { (reader) throws(WireError) in try reader.text(atMost: PlatformLimits.word) },
            assertion: try reader.optional { (reader) throws(WireError) in try reader.token() },
            certificate: try reader.optional { (reader) throws(WireError) in
                try reader.data(atMost: PlatformLimits.certificate)
            },
            isCertificateTrusted: try reader.flag())
    }
}

extension GrantOrder {
    fileprivate func write(to writer: inout WireWriter) {
        writer.text(secret)
        writer.text(client.description)
        writer.text(redirectURI)
        writer.words(scopes)
        writer.words(resources)
        writer.optional(authorizationDetails) { $0.data($1) }
        writer.optional(nonce) { $0.text($1) }
        writer.text(codeChallenge)
        writer.list(methods) { $0.text($1.rawValue) }
        writer.optional(maxAge) { $0.integer($1) }
        writer.optional(notBefore) { $0.integer($1.milliseconds) }
        writer.optional(dpopThumbprint) { $0.text($1) }
        writer.flag(isPushed)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(
            secret: try reader.secret(), client: try reader.clientID(),
            redirectURI: try reader.text(atMost: PlatformLimits.url), scopes: try reader.words(),
            resources: try reader.words(), authorizationDetails: try reader.details(),
            nonce: try reader.optional { (reader) throws(WireError) in try reader.text(atMost: PlatformLimits.word) },
            codeChallenge: try reader.text(atMost: 128),
            methods: try reader.list(atMost: PlatformLimits.list) { (reader) throws(WireError) in
                try reader.method()
            },
            maxAge: try reader.optional { (reader) throws(WireError) in try reader.integer() },
            notBefore: try reader.optional { (reader) throws(WireError) in
                Instant(milliseconds: try reader.integer())
            },
            dpopThumbprint: try reader.optional { (reader) throws(WireError) in try reader.text(atMost: 128) },
            isPushed: try reader.flag())
    }
}

extension TokenOrder {
    fileprivate func write(to writer: inout WireWriter) {
        switch grant {
        case .code(let code, let redirectURI, let verifier):
            writer.uint8(1)
            writer.text(code)
            writer.optional(redirectURI) { $0.text($1) }
            writer.text(verifier)
        case .refresh(let token):
            writer.uint8(2)
            writer.text(token)
        }
        client.write(to: &writer)
        writer.possession(proof)
        writer.words(scopes)
        writer.words(resources)
        writer.optional(authorizationDetails) { $0.data($1) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        let grant: Grant
        switch try reader.uint8() {
        case 1:
            grant = .code(
                try reader.secret(),
                redirectURI: try reader.optional { (reader) throws(WireError) in
                    try reader.text(atMost: PlatformLimits.url)
                },
                verifier: try reader.text(atMost: 256))
        case 2: grant = .refresh(try reader.secret())
        default: throw .invalidValue
        }
        self.init(
            grant: grant, client: try ClientProof(from: &reader),
            proof: try reader.possession(), scopes: try reader.words(), resources: try reader.words(),
            authorizationDetails: try reader.details())
    }
}

extension EndOrder {
    fileprivate func write(to writer: inout WireWriter) {
        switch self {
        case .own(let secret, let session):
            writer.uint8(1)
            writer.text(secret)
            writer.optional(session) { $0.text($1) }
        case .all(let secret):
            writer.uint8(2)
            writer.text(secret)
        case .relyingSystem(let idToken):
            writer.uint8(3)
            writer.text(idToken)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        switch try reader.uint8() {
        case 1:
            self = .own(
                secret: try reader.secret(),
                session: try reader.optional { (reader) throws(WireError) in try reader.text(atMost: 64) })
        case 2: self = .all(secret: try reader.secret())
        case 3: self = .relyingSystem(idToken: try reader.token())
        default: throw .invalidValue
        }
    }
}

extension WireWriter {
    mutating func words(_ words: [String]) { list(words) { $0.text($1) } }

    mutating func possession(_ possession: PresentedToken.Possession?) {
        optional(possession) { PresentedToken("", possession: $1).write(to: &$0) }
    }
}

extension WireReader {
    mutating func words() throws(WireError) -> [String] {
        try list(atMost: PlatformLimits.list) { (reader) throws(WireError) in
            try reader.text(atMost: PlatformLimits.url)
        }
    }

    mutating func possession() throws(WireError) -> PresentedToken.Possession? {
        try optional { (reader) throws(WireError) in
            guard let possession = try PresentedToken(from: &reader).possession else { throw .invalidValue }
            return possession
        }
    }

    mutating func details() throws(WireError) -> [UInt8]? {
        try optional { (reader) throws(WireError) in try reader.data(atMost: PlatformLimits.details) }
    }

    mutating func secret() throws(WireError) -> String { try text(atMost: PlatformLimits.secret) }

    mutating func token() throws(WireError) -> String { try text(atMost: PlatformLimits.token) }

    mutating func method() throws(WireError) -> AuthenticationMethod {
        guard let method = AuthenticationMethod(rawValue: try text(atMost: 32)) else { throw .invalidValue }
        return method
    }
}

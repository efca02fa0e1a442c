package import HPKI

/// The version of the messages; both processes come from one binary, so any other version is refused.
private let protocolVersion: UInt8 = 1

/// One request with the number that its reply repeats.
package struct RequestFrame: Sendable, Hashable {
    package let call: UInt64
    package let request: CoreRequest

    /// A numbered request.
    package init(call: UInt64, request: CoreRequest) {
        self.call = call
        self.request = request
    }

    /// The frame's bytes.
    package var bytes: [UInt8] {
        var writer = WireWriter(capacity: 2048)
        writer.uint8(protocolVersion)
        writer.integer(call)
        switch request {
        case .sign(let command):
            writer.uint8(1)
            command.write(to: &writer)
        case .lookup(let token, let signature):
            writer.uint8(2)
            token.write(to: &writer)
            writer.text(signature.description)
        case .receipt(let token, let signature):
            writer.uint8(12)
            token.write(to: &writer)
            writer.text(signature.description)
        case .identify(let token):
            writer.uint8(9)
            token.write(to: &writer)
        case .refuse(let notice):
            writer.uint8(6)
            writer.text(notice.requestID)
            notice.token.write(to: &writer)
            writer.text(notice.form.rawValue)
            writer.text(notice.kind.rawValue)
        case .health:
            writer.uint8(3)
        case .admin(let request, let proof):
            writer.uint8(8)
            writer.data(proof)
            request.writeOfCustody(to: &writer)
        case .registration(let command):
            writer.uint8(7)
            command.write(to: &writer)
        case .review(let command):
            writer.uint8(10)
            command.write(to: &writer)
        case .witness(let message):
            writer.uint8(11)
            message.write(to: &writer)
        case .platform(let command):
            writer.uint8(13)
            command.write(to: &writer)
        }
        return writer.bytes
    }

    /// Reads a frame; throws `WireError` for anything that `bytes` would not have written.
    package init(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        guard try reader.uint8() == protocolVersion else { throw .invalidValue }
        call = try reader.integer()
        switch try reader.uint8() {
        case 1: request = .sign(try SignCommand(from: &reader))
        case 2:
            let token = try PresentedToken(from: &reader)
            request = .lookup(token: token, signature: try reader.signatureID())
        case 12:
            let token = try PresentedToken(from: &reader)
            request = .receipt(token: token, signature: try reader.signatureID())
        case 3: request = .health
        case 8:
            let proof = try reader.data(atMost: 64)
            request = .admin(try AdminRequest(ofCustody: &reader), proof: proof)
        case 6:
            let requestID = try reader.text(atMost: 64)
            let token = try PresentedToken(from: &reader)
            guard let form = DocumentForm(rawValue: try reader.text(atMost: 32)),
                let kind = Failure.Kind(rawValue: try reader.text(atMost: 64))
            else { throw .invalidValue }
            request = .refuse(RefusalNotice(requestID: requestID, token: token, form: form, kind: kind))
        case 9: request = .identify(token: try PresentedToken(from: &reader))
        case 7: request = .registration(try RegistrationCommand(from: &reader))
        case 10: request = .review(try ReviewCommand(from: &reader))
        case 11: request = .witness(try WitnessMessage(from: &reader))
        case 13: request = .platform(try PlatformCommand(from: &reader))
        default: throw .invalidValue
        }
        try reader.end()
    }
}

extension SignCommand {
    fileprivate func write(to writer: inout WireWriter) {
        writer.text(requestID)
        token.write(to: &writer)
        writer.text(form.rawValue)
        shape.write(to: &writer)
        writer.list(digests) { $0.digest($1) }
        writer.optional(algorithm) { $0.text($1.rawValue) }
        writer.optional(credential) { $0.text($1.description) }
        writer.optional(idempotency) {
            $0.text($1.key)
            $0.digest($1.body)
        }
        writer.optional(prescription) {
            $0.uint8($1.verdict.rawValue)
            $0.list($1.reasons) { $0.text($1) }
            $0.list($1.acknowledged) { $0.text($1) }
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        let requestID = try reader.text(atMost: 64)
        let token = try PresentedToken(from: &reader)
        guard let form = DocumentForm(rawValue: try reader.text(atMost: 32)) else { throw .invalidValue }
        let shape = try SignatureShape(from: &reader)
        let digests = try reader.list(atMost: 3) { (reader) throws(WireError) in try reader.digest() }
        guard !digests.isEmpty, Set(digests.map(\.algorithm)).count == digests.count else { throw .invalidValue }
        let algorithm = try reader.optional { (reader) throws(WireError) in
            guard let algorithm = SignatureAlgorithm(rawValue: try reader.text(atMost: 32)) else { throw .invalidValue }
            return algorithm
        }
        let credential = try reader.optional { (reader) throws(WireError) in try reader.credentialID() }
        let idempotency = try reader.optional { (reader) throws(WireError) in
            let key = try reader.text(atMost: 255)
            guard let value = Idempotency(key: key, body: try reader.digest()) else { throw .invalidValue }
            return value
        }
        let prescription = try reader.optional { (reader) throws(WireError) in
            guard let verdict = PrescriptionJudgement.Verdict(rawValue: try reader.uint8()) else { throw .invalidValue }
            return PrescriptionJudgement(
                verdict: verdict, reasons: try reader.texts(atMost: 32), acknowledged: try reader.texts(atMost: 32)
            )
        }
        self.init(
            requestID: requestID, token: token, form: form, shape: shape, digests: digests, algorithm: algorithm,
            credential: credential, idempotency: idempotency, prescription: prescription
        )
    }
}

extension SignatureShape {
    /// The longest name, id or media type, in bytes of UTF-8.
    package static let wordLimit = 1024

    fileprivate func write(to writer: inout WireWriter) {
        switch self {
        case .ofForm: writer.uint8(1)
        case .cades: writer.uint8(2)
        case .xades(let place, let mimeType):
            let (kind, word): (UInt8, String) =
                switch place {
                case .document: (3, "")
                case .element(let id): (4, id)
                case .object(let id): (5, id)
                case .detached(let name): (6, name)
                }
            writer.uint8(kind)
            writer.text(word)
            writer.optional(mimeType) { $0.text($1) }
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        let kind = try reader.uint8()
        if kind == 1 || kind == 2 {
            self = kind == 1 ? .ofForm : .cades
            return
        }
        let word = try reader.text(atMost: Self.wordLimit)
        let place: XAdESPlace
        switch kind {
        case 3 where word.isEmpty: place = .document
        case 4: place = .element(id: word)
        case 5: place = .object(id: word)
        case 6: place = .detached(name: word)
        default: throw .invalidValue
        }
        self = .xades(
            place,
            mimeType: try reader.optional { (reader) throws(WireError) in try reader.text(atMost: Self.wordLimit) })
    }
}

extension WireWriter {
    mutating func flag(_ flag: Bool) { uint8(flag ? 1 : 0) }

    mutating func digest(_ digest: Digest) {
        text(digest.algorithm.rawValue)
        data(digest.bytes)
    }
}

extension WireReader {
    mutating func flag() throws(WireError) -> Bool {
        switch try uint8() {
        case 0: return false
        case 1: return true
        default: throw .invalidValue
        }
    }

    mutating func digest() throws(WireError) -> Digest {
        guard let algorithm = DigestAlgorithm(rawValue: try text(atMost: 16)),
            let digest = Digest(algorithm: algorithm, bytes: try data(atMost: 64))
        else { throw .invalidValue }
        return digest
    }

    mutating func signatureID() throws(WireError) -> SignatureID {
        guard let id = SignatureID(try text(atMost: 32)) else { throw .invalidValue }
        return id
    }

    mutating func credentialID() throws(WireError) -> CredentialID {
        guard let id = CredentialID(try text(atMost: 64)) else { throw .invalidValue }
        return id
    }

    mutating func texts(atMost limit: Int) throws(WireError) -> [String] {
        try list(atMost: limit) { (reader) throws(WireError) in try reader.text(atMost: 128) }
    }
}

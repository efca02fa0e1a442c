package import HPKI

/// One reply with the number of the request it answers.
package struct ReplyFrame: Sendable, Hashable {
    package let call: UInt64
    package let reply: CoreReply

    /// A numbered reply.
    package init(call: UInt64, reply: CoreReply) {
        self.call = call
        self.reply = reply
    }

    /// The frame's bytes.
    package var bytes: [UInt8] {
        var writer = WireWriter(capacity: 4096)
        writer.integer(call)
        switch reply {
        case .signed(let reply):
            writer.uint8(1)
            reply.write(to: &writer)
        case .signature(let facts):
            writer.uint8(2)
            facts.write(to: &writer)
        case .receipt(let json):
            writer.uint8(12)
            writer.data(json)
        case .health(let facts):
            writer.uint8(3)
            facts.write(to: &writer)
        case .failed(let failure):
            writer.uint8(6)
            failure.write(to: &writer)
        case .noted:
            writer.uint8(7)
        case .registration(let reply):
            writer.uint8(8)
            reply.write(to: &writer)
        case .keysReport(let report):
            writer.uint8(9)
            report.write(to: &writer)
        case .rotation(let facts):
            writer.uint8(10)
            facts.write(to: &writer)
        case .erasure(let facts):
            writer.uint8(13)
            facts.write(to: &writer)
        case .review(let reply):
            writer.uint8(11)
            reply.write(to: &writer)
        case .submission(let submission):
            writer.uint8(14)
            submission.write(to: &writer)
        case .platform(let reply):
            writer.uint8(15)
            reply.write(to: &writer)
        }
        return writer.bytes
    }

    /// Reads a frame; throws `WireError` for anything that `bytes` would not have written.
    package init(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        call = try reader.integer()
        switch try reader.uint8() {
        case 1: reply = .signed(try SignedReply(from: &reader))
        case 2: reply = .signature(try SignatureFacts(from: &reader))
        case 12: reply = .receipt(try reader.data(atMost: 65_536))
        case 3: reply = .health(try HealthFacts(from: &reader))
        case 6: reply = .failed(try Failure(from: &reader))
        case 7: reply = .noted
        case 8: reply = .registration(try RegistrationReply(from: &reader))
        case 9: reply = .keysReport(try KeysReport(from: &reader))
        case 10: reply = .rotation(try RotationFacts(from: &reader))
        case 13: reply = .erasure(try ErasureFacts(from: &reader))
        case 11: reply = .review(try ReviewReply(from: &reader))
        case 14: reply = .submission(try WitnessSubmission(from: &reader))
        case 15: reply = .platform(try PlatformReply(from: &reader))
        default: throw .invalidValue
        }
        try reader.end()
    }
}

extension SignedReply {
    fileprivate func write(to writer: inout WireWriter) {
        writer.text(signature.description)
        writer.integer(signedAt.milliseconds)
        writer.data(certificate)
        writer.text(algorithm.rawValue)
        writer.data(value)
        writer.text(rule)
        receipt.write(to: &writer)
        writer.flag(isReplay)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        let signature = try reader.signatureID()
        let signedAt = Instant(milliseconds: try reader.integer())
        let certificate = try reader.data(atMost: 65_536)
        guard let algorithm = SignatureAlgorithm(rawValue: try reader.text(atMost: 64)) else { throw .invalidValue }
        self.init(
            signature: signature, signedAt: signedAt, certificate: certificate, algorithm: algorithm,
            value: try reader.data(atMost: 4096), rule: try reader.text(atMost: 128),
            receipt: try ReceiptFacts(from: &reader), isReplay: try reader.flag()
        )
    }
}

extension ReceiptFacts {
    fileprivate func write(to writer: inout WireWriter) {
        writer.text(origin)
        writer.integer(sequence)
        writer.data(leaf)
        writer.integer(treeSize)
        writer.data(rootHash)
        writer.text(custody)
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(
            origin: try reader.text(atMost: 256), sequence: try reader.integer(), leaf: try reader.data(atMost: 4096),
            treeSize: try reader.integer(), rootHash: try reader.data(atMost: 32), custody: try reader.text(atMost: 32)
        )
    }
}

extension SignatureFacts {
    fileprivate func write(to writer: inout WireWriter) {
        writer.text(signature.description)
        writer.uint8(state.rawValue)
        writer.text(form.rawValue)
        writer.digest(digest)
        writer.integer(signedAt.milliseconds)
        writer.text(credential.description)
        writer.text(rule)
        writer.integer(intent)
        writer.optional(outcome) { $0.integer($1) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        let signature = try reader.signatureID()
        guard let state = State(rawValue: try reader.uint8()),
            let form = DocumentForm(rawValue: try reader.text(atMost: 32))
        else { throw .invalidValue }
        self.init(
            signature: signature, state: state, form: form, digest: try reader.digest(),
            signedAt: Instant(milliseconds: try reader.integer()), credential: try reader.credentialID(),
            rule: try reader.text(atMost: 128), intent: try reader.integer(),
            outcome: try reader.optional { (reader) throws(WireError) in try reader.integer() }
        )
    }
}

extension HealthFacts {
    fileprivate func write(to writer: inout WireWriter) {
        for flag in [hsm, audit, clock] { writer.flag(flag) }
        writer.list(alarms) { $0.text($1) }
        writer.list(metrics) {
            $0.text($1.name)
            $0.integer($1.value)
        }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(
            hsm: try reader.flag(), audit: try reader.flag(), clock: try reader.flag(),
            alarms: try reader.list(atMost: 100) { (reader) throws(WireError) in try reader.text(atMost: 1000) },
            metrics: try reader.list(atMost: 200) { (reader) throws(WireError) in
                Metric(name: try reader.text(atMost: 200), value: try reader.integer())
            }
        )
    }
}

extension Failure {
    fileprivate func write(to writer: inout WireWriter) {
        writer.text(kind.rawValue)
        writer.text(detail)
        writer.optional(rule) { $0.text($1) }
        writer.list(reasons) { $0.text($1) }
        writer.optional(retryAfter) { $0.integer(UInt32(clamping: $1)) }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        guard let kind = Kind(rawValue: try reader.text(atMost: 64)) else { throw .invalidValue }
        self.init(
            kind, try reader.text(atMost: 2000),
            rule: try reader.optional { (reader) throws(WireError) in try reader.text(atMost: 128) },
            reasons: try reader.texts(atMost: 32),
            retryAfter: try reader.optional { (reader) throws(WireError) in Int(try reader.integer(UInt32.self)) }
        )
    }
}

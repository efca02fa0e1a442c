internal import Certificates
package import CoreProtocol
internal import Formats
package import HPKI
internal import Validation

/// A signature that was verified from its final bytes.
package struct SignatureAnswer: Sendable, Hashable {
    /// The signed document, or the signature alone where the document is elsewhere; XML in UTF-8, or CMS in DER.
    package let bytes: [UInt8]
    package let level: SignatureLevel
    package let algorithm: SignatureAlgorithm
    package let signature: SignatureID
    /// Cut to whole seconds.
    package let signedAt: Instant
    package let receipt: ReceiptFacts
    /// The policy rule that permitted the signature.
    package let rule: String
    /// Whether an earlier request with the same key got the same signature value.
    package let isReplay: Bool

    fileprivate init(_ bytes: [UInt8], _ level: SignatureLevel, _ reply: SignedReply) {
        self.bytes = bytes
        self.level = level
        algorithm = reply.algorithm
        signature = reply.signature
        signedAt = reply.signedAt
        receipt = reply.receipt
        rule = reply.rule
        isReplay = reply.isReplay
    }
}

extension SignatureAnswer {
    /// Puts core's signature value into its form, adds what the level needs, and reads the whole again as a stranger
    /// would; before the level too, so that nothing that does not hold is stamped.
    static func assembled(
        _ draft: BaselineDraft, _ reply: SignedReply, _ level: SignatureLevel, _ evidence: LevelEvidence,
        limits: SigningLimits
    ) async throws(Failure) -> SignatureAnswer {
        let form = try formed(draft, reply)
        var bytes = try put(form, draft.place, reply)
        try check(bytes, form, draft, reply, limits)
        guard level > .bB else { return SignatureAnswer(bytes, level, reply) }
        let raise = RaiseLevel(evidence: evidence, limits: limits.ofAnswers)
        switch form {
        case .ofForm, .xades:
            // A host document may hold earlier signatures elsewhere; the new one is the last.
            bytes = try await raise.xades(bytes, to: level, draft.content)
        case .cades(let signature):
            bytes = try await raise.cades(bytes, signer: 0, to: level, contentDigest: signature.contentDigest)
        }
        try check(bytes, form, draft, reply, limits)
        return SignatureAnswer(bytes, level, reply)
    }

    private static func formed(_ draft: BaselineDraft, _ reply: SignedReply) throws(Failure) -> FormedSignature {
        let function = reply.algorithm.digestAlgorithm
        let digest = draft.shape == .cades ? draft.digests.first { $0.algorithm == function } : draft.digests.first
        guard let digest else { throw .surprised("core signed a digest that it was not given") }
        do {
            return try FormedSignature(
                form: draft.form, shape: draft.shape, digest: digest,
                certificate: try HPKICertificate(der: reply.certificate), signingTime: reply.signedAt,
                algorithm: reply.algorithm, signature: reply.signature)
        } catch {
            throw .surprised("the signature cannot be formed: \(error)")
        }
    }

    private static func put(
        _ form: FormedSignature, _ place: BaselineDraft.Place, _ reply: SignedReply
    ) throws(Failure) -> [UInt8] {
        do throws(FormatError) {
            switch (form, place) {
            case (.ofForm(let signature), _): return signature.assemble(value: reply.value)
            case (.xades(let signature), .inside(let head, let tail)):
                return head + signature.assemble(value: reply.value) + tail
            case (.xades(let signature), .around(let object)):
                return signature.assemble(value: reply.value, object: object)
            case (.xades(let signature), _): return signature.assemble(value: reply.value)
            case (.cades(let signature), .attached(let content)):
                return try signature.assemble(value: reply.value, content: content)
            case (.cades(let signature), _): return try signature.assemble(value: reply.value)
            }
        } catch {
            throw .surprised("the signature cannot be assembled: \(error)")
        }
    }

    private static func check(
        _ bytes: [UInt8], _ form: FormedSignature, _ draft: BaselineDraft, _ reply: SignedReply, _ limits: SigningLimits
    ) throws(Failure) {
        do throws(Finding) {
            switch form {
            case .ofForm, .xades:
                try OwnCheck.verifyXAdES(
                    bytes, detached: draft.content.named, digests: draft.content.digests,
                    certificate: reply.certificate, limits: limits.ofAnswers)
            case .cades(let signature):
                try OwnCheck.verifyCAdES(
                    bytes, content: nil, contentDigest: signature.contentDigest, certificate: reply.certificate)
            }
        } catch {
            throw .surprised("own check of signature \(reply.signature): \(error.reason)")
        }
    }
}

extension BaselineDraft {
    /// What is at hand of the document where the signature does not stand in it, or around it.
    var content: DetachedContent {
        switch (place, shape) {
        case (.apart(let bytes), .xades(.detached(let name), _)): DetachedContent(named: [name: bytes])
        case (.none, .xades(let place, _)): DetachedContent(digests: [place.uri: digests[0]])
        case (.none, .ofForm): DetachedContent(digests: [form.uri: digests[0]])
        default: .none
        }
    }
}

extension XAdESPlace {
    /// The URI of the Reference.
    var uri: String {
        switch self {
        case .document: ""
        case .element(let id), .object(let id): "#" + id
        case .detached(let name): name
        }
    }
}

extension DocumentForm {
    /// The URI of the Reference to the data.
    fileprivate var uri: String { self == .dispensing ? "#Dispensing" : "#PrescriptionDocument" }
}

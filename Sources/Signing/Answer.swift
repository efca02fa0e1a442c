package import CoreProtocol
internal import Formats
package import HPKI
internal import Validation

/// A signed document that was verified from its final bytes; nothing else leaves front.
package struct Answer: Sendable, Hashable {
    /// The signed XML, UTF-8.
    package let document: [UInt8]
    package let signature: SignatureID
    /// Cut to whole seconds.
    package let signedAt: Instant
    package let receipt: ReceiptFacts
    /// The policy rule that permitted the signature.
    package let rule: String
    /// Whether an earlier request with the same key got the same bytes.
    package let isReplay: Bool

    fileprivate init(document: [UInt8], _ reply: SignedReply) {
        self.document = document
        signature = reply.signature
        signedAt = reply.signedAt
        receipt = reply.receipt
        rule = reply.rule
        isReplay = reply.isReplay
    }
}

extension Answer {
    /// Puts core's signature value into the draft, and reads the whole again as a stranger would.
    ///
    /// Throws `.unexpected` where anything does not hold: then nothing is released.
    static func assembled(_ draft: Draft, _ reply: SignedReply, limits: SigningLimits) throws(Failure) -> Answer {
        let element: [UInt8]
        do {
            element = try PrescriptionSignature(
                form: draft.document.form, dataDigest: draft.digest, certificate: reply.certificate,
                signingTime: reply.signedAt, algorithm: reply.algorithm
            ).assemble(value: reply.value)
        } catch {
            throw .surprised("the signature cannot be assembled: \(error)")
        }
        let document = draft.document.signed(with: element)
        do {
            try OwnCheck.verify(
                document, form: draft.document.form, certificate: reply.certificate, limits: limits.ofAnswers
            )
        } catch {
            throw .surprised("own check of signature \(reply.signature): \(error.reason)")
        }
        return Answer(document: document, reply)
    }
}

internal import Certificates
internal import CoreProtocol
internal import Formats
package import HPKI
internal import Validation
internal import XML

/// A document that stays with its owner: its digest goes to the service, and the signature comes back into it.
///
/// The same code as the service's own digests and assembles, so the bytes are the same as if it had had the document.
package struct LocalDocument {
    private let draft: BaselineDraft
    private let document: [UInt8]
    private let limits: SigningLimits

    /// A document of the form `other`, to be signed in this packaging.
    package init(
        _ item: SignatureOrder.Item, _ packaging: SignatureOrder.Packaging, limits: SigningLimits = SigningLimits()
    ) throws(Failure) {
        guard case .document(let bytes) = item.source else {
            throw Failure(.malformedRequest, "A local document is given whole.")
        }
        document = bytes
        self.limits = limits
        let order = SignatureOrder(form: .other, packaging: packaging, level: .bB, items: [item])
        draft = try BaselineDraft(item, of: order, limits: limits)
    }

    /// What is sent in its place; throws `.malformedRequest` where this packaging is not digested by `algorithm`.
    package func digest(by algorithm: DigestAlgorithm) throws(Failure) -> Digest {
        guard let digest = draft.digests.first(where: { $0.algorithm == algorithm }) else {
            throw Failure(.malformedRequest, "XAdES signatures here digest documents by SHA-256.")
        }
        return digest
    }

    /// The id that must be sent with the digest, where the packaging has one.
    package var elementID: String? {
        switch draft.shape {
        case .xades(.element(let id), _), .xades(.object(let id), _): id
        default: nil
        }
    }

    /// The document and `signature` put together; throws `.wrongDocument` where the whole does not hold, or is not of this
    /// document.
    package func assembled(with signature: [UInt8]) throws(Failure) -> [UInt8] {
        let whole = try put(signature)
        do throws(Finding) {
            switch draft.shape {
            case .ofForm: break
            case .xades(let place, _):
                try OwnCheck.verifyXAdES(
                    whole, around: signature, covering: place.uri, detached: draft.content.named,
                    limits: limits.ofAnswers)
            case .cades: try OwnCheck.verifyCAdES(whole, over: document)
            }
        } catch {
            throw Failure(
                .wrongDocument, "The signature that was answered does not hold: \(error.sentence)",
                reasons: [error.reason])
        }
        return whole
    }

    private func put(_ signature: [UInt8]) throws(Failure) -> [UInt8] {
        switch draft.place {
        case .none, .apart: return signature
        case .inside(let head, let tail): return head + signature + tail
        case .around(let object):
            guard let whole = object.inserted(into: signature) else {
                throw Failure(.wrongDocument, "The answer is no XML signature around this document.")
            }
            return whole
        case .attached(let content):
            guard let whole = try? CMSSignedData(contentInfo: signature[...]).attaching(content) else {
                throw Failure(.wrongDocument, "The answer is no CMS signature over this document.")
            }
            return whole
        }
    }
}

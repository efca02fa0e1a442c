internal import Formats
internal import HPKI
internal import Validation
internal import XML

/// An XML document that takes a signature as the last child of its root; its bytes are kept as they came.
struct HostDocument {
    private let document: XMLDocument

    init(_ bytes: [UInt8], limits: SigningLimits) throws(Failure) {
        document = try XMLDocument.received(bytes, limits)
        guard document.signatures.count < SignatureValidator.signatureLimit else {
            throw Failure(.alreadySigned, "The document holds as many signatures as are judged.")
        }
        guard !SignatureValidator.isForm(document) else {
            throw Failure(
                .wrongDocument,
                "Prescriptions and dispensing results are signed by routes of their own, in their own form.")
        }
        let root = document.root
        for element in [root] + root.descendants where !element.isInSignature {
            guard !element.attributes.contains(where: \.isIDOfAnySignature) else {
                throw Failure(.wrongDocument, "Ids such as id0123456789abcdef are kept for signatures.")
            }
        }
    }

    /// The digest of what is covered, before the signature is there.
    func digest(at place: XAdESPlace) throws(Failure) -> Digest {
        switch place {
        case .element(let id):
            guard let element = document.element(id: id) else {
                throw Failure(.wrongDocument, "No element of the document has the id that elementId names.")
            }
            guard element != document.root else {
                throw Failure(.wrongDocument, "The signature stands inside the root, which it cannot cover by its id.")
            }
            return Digest(of: Canonicalization.exclusive10.canonicalize(element))
        case .document, .object, .detached:
            // One that is there would be covered too, and itself no longer cover what it did.
            guard document.signatures.isEmpty else {
                throw Failure(.alreadySigned, "The document holds a signature already.")
            }
            return Digest(of: Canonicalization.exclusive10.canonicalize(document))
        }
    }

    /// Where the signature goes.
    var place: BaselineDraft.Place {
        let root = document.root
        guard root.isSelfClosing else {
            let end = root.contentRange.upperBound
            return .inside(head: Array(document.bytes[..<end]), tail: Array(document.bytes[end...]))
        }
        let opened = document.opening(root, around: "")
        let end = root.byteRange.upperBound - 1
        return .inside(head: Array(opened[..<end]), tail: Array(opened[end...]))
    }
}

extension XMLElement {
    fileprivate var isInSignature: Bool {
        var around: XMLElement? = self
        while let element = around {
            if element.isNamed("Signature", Namespaces.ds) { return true }
            around = element.parent
        }
        return false
    }
}

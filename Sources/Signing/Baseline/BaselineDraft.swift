internal import Certificates
internal import CoreProtocol
internal import Formats
internal import HPKI
internal import XML

/// One document of an order, ready to be signed.
struct BaselineDraft {
    let form: DocumentForm
    let shape: SignatureShape
    /// One by each function that the key may need.
    let digests: [Digest]
    let judgement: PrescriptionJudgement?
    /// Where the signature goes.
    let place: Place

    /// What the finished signature is put together with.
    enum Place {
        /// Nothing: the client puts it in its place itself.
        case none
        /// Between two bytes of the document.
        case inside(head: [UInt8], tail: [UInt8])
        /// Around the document.
        case around(EnvelopedObject)
        /// In CMS, with the octets inside.
        case attached([UInt8])
        /// Apart from these octets.
        case apart([UInt8])
    }

    init(_ item: SignatureOrder.Item, of order: SignatureOrder, limits: SigningLimits) throws(Failure) {
        form = order.form
        if case .document(let bytes) = item.source, bytes.count > limits.documentBytes {
            throw Failure(.tooLarge, "The document is longer than \(limits.documentBytes) bytes.")
        }
        for word in [item.name, item.elementID, item.mimeType] {
            guard (word?.utf8.count ?? 0) <= SignatureShape.wordLimit else {
                throw Failure(.malformedRequest, "A name, id or media type is longer than 1024 bytes.")
            }
        }
        switch order.packaging {
        case .ofForm: (shape, digests, place, judgement) = try Self.ofForm(item, order)
        case .xades(let packaging): (shape, digests, place, judgement) = try Self.xades(item, packaging, limits)
        case .cades(let packaging): (shape, digests, place, judgement) = try Self.cades(item, packaging)
        }
        if case .digest = item.source, case .xades = shape, order.level == .bLTA {
            throw Failure(
                .malformedRequest, "Level B-LTA of XAdES needs the document: its archive time stamp is over its octets."
            )
        }
    }

    private typealias Made = (SignatureShape, [Digest], Place, PrescriptionJudgement?)

    /// A prescription or dispensing result whose XML the client made and keeps.
    private static func ofForm(_ item: SignatureOrder.Item, _ order: SignatureOrder) throws(Failure) -> Made {
        guard case .digest(let digest) = item.source else {
            throw Failure(
                .malformedRequest,
                "Documents of this form are posted to /v1/prescriptions or /v1/dispensings; here by digest alone.")
        }
        try item.mustHave(name: false, elementID: false)
        guard digest.algorithm == .sha256 else {
            throw Failure(.malformedRequest, "Prescriptions and dispensing results are digested by SHA-256.")
        }
        guard order.form == .dispensing else { return (.ofForm, [digest], .none, nil) }
        // The prescription inside cannot be judged here, which is for the pharmacist to acknowledge.
        let unseen = PrescriptionJudgement(
            verdict: .indeterminate, reasons: ["prescription-not-seen"], acknowledged: order.acknowledged)
        return (.ofForm, [digest], .none, unseen)
    }

    private static func xades(
        _ item: SignatureOrder.Item, _ packaging: SignatureOrder.Packaging.XAdES, _ limits: SigningLimits
    ) throws(Failure) -> Made {
        let place: XAdESPlace
        switch packaging {
        case .enveloped:
            try item.mustHave(name: false, elementID: false)
            place = .document
        case .internallyDetached:
            try item.mustHave(name: false, elementID: true)
            place = .element(id: item.elementID ?? "")
        case .detached:
            try item.mustHave(name: true, elementID: false)
            guard item.name?.utf8.first != UInt8(ascii: "#"), item.name?.isEmpty == false else {
                throw Failure(.malformedRequest, "The name of a detached document is not empty and begins without #.")
            }
            place = .detached(name: item.name ?? "")
        case .enveloping:
            return try enveloping(item)
        }
        let (digest, made) = try octets(of: item, at: place, limits)
        return (.xades(place, mimeType: item.mimeType), [digest], made, nil)
    }

    private static func enveloping(_ item: SignatureOrder.Item) throws(Failure) -> Made {
        switch item.source {
        case .document(let bytes):
            try item.mustHave(name: false, elementID: false)
            let object = EnvelopedObject(bytes)
            return (.xades(.object(id: object.id), mimeType: item.mimeType), [object.digest()], .around(object), nil)
        case .digest(let digest):
            try item.mustHave(name: false, elementID: true)
            return (.xades(.object(id: item.elementID ?? ""), mimeType: item.mimeType), [digest], .none, nil)
        }
    }

    private static func octets(
        of item: SignatureOrder.Item, at place: XAdESPlace, _ limits: SigningLimits
    ) throws(Failure) -> (Digest, Place) {
        switch (item.source, place) {
        case (.digest(let digest), _): return (digest, .none)
        case (.document(let bytes), .detached): return (Digest(of: bytes), .apart(bytes))
        case (.document(let bytes), _):
            let document = try HostDocument(bytes, limits: limits)
            return (try document.digest(at: place), document.place)
        }
    }

    private static func cades(
        _ item: SignatureOrder.Item, _ packaging: SignatureOrder.Packaging.CAdES
    ) throws(Failure) -> Made {
        try item.mustHave(name: false, elementID: false)
        guard item.mimeType == nil else {
            throw Failure(.malformedRequest, "A CAdES signature here has no place for a media type.")
        }
        switch item.source {
        case .digest(let digest): return (.cades, [digest], .none, nil)
        case .document(let bytes):
            let digests = DigestAlgorithm.allCases.map { Digest(of: bytes, by: $0) }
            return (.cades, digests, packaging == .attached ? .attached(bytes) : .apart(bytes), nil)
        }
    }

    /// What core is asked; `idempotency` is the claim of this document, where the client gave a key.
    func command(_ order: SignatureOrder, _ origin: RequestOrigin, _ idempotency: Idempotency?) -> SignCommand {
        SignCommand(
            requestID: origin.requestID, token: origin.token, form: form, shape: shape, digests: digests,
            algorithm: order.algorithm, credential: origin.credential, idempotency: idempotency,
            prescription: judgement
        )
    }
}

extension SignatureOrder.Item {
    /// Refuses what the packaging has no use for, and misses what it needs.
    fileprivate func mustHave(name needsName: Bool, elementID needsID: Bool) throws(Failure) {
        for (word, value, isNeeded) in [("name", name, needsName), ("elementId", elementID, needsID)] {
            guard (value != nil) == isNeeded, value?.isEmpty != true else {
                throw Failure(
                    .malformedRequest,
                    isNeeded
                        ? "The field \(word) is missing: this packaging needs it."
                        : "The field \(word) has no meaning for this packaging.")
            }
        }
    }
}

package import Certificates
package import HPKI

/// A signature of any form before its value is known: what core signs and front assembles, each by itself.
package enum FormedSignature: Sendable, Hashable {
    case ofForm(PrescriptionSignature)
    case xades(XAdESSignature)
    case cades(CAdESSignature)

    /// The signature that a form has in a shape, `signingTime` cut to whole seconds.
    ///
    /// `signature` keeps the ids in XML from being foretold.
    /// Throws `.formWithoutSignature` where the form has no such shape, and what the shapes themselves throw.
    package init(
        form: DocumentForm, shape: SignatureShape, digest: Digest, certificate: HPKICertificate, signingTime: Instant,
        algorithm: SignatureAlgorithm, signature: SignatureID
    ) throws(FormatError) {
        switch (form, shape) {
        case (.prescription, .ofForm), (.dispensing, .ofForm):
            self = .ofForm(
                try PrescriptionSignature(
                    form: form, dataDigest: digest, certificate: certificate.der, signingTime: signingTime,
                    algorithm: algorithm))
        case (.other, .xades(let place, let mimeType)):
            try place.mustLeaveForms()
            self = .xades(
                try XAdESSignature(
                    references: [XAdESSignature.DataReference(place, digest, mimeType: mimeType)],
                    certificate: certificate.der, signingTime: signingTime, algorithm: algorithm,
                    nonce: Array(signature.description.utf8)))
        case (.other, .cades):
            self = .cades(
                try CAdESSignature(
                    contentDigest: digest, certificate: certificate, signingTime: signingTime, algorithm: algorithm))
        case (.other, .ofForm), (_, .xades), (_, .cades):
            throw .formWithoutSignature
        }
    }

    /// What the key signs.
    package var bytesToSign: [UInt8] {
        switch self {
        case .ofForm(let signature): signature.bytesToSign
        case .xades(let signature): signature.bytesToSign
        case .cades(let signature): signature.bytesToSign
        }
    }
}

extension XAdESPlace {
    /// Refuses what, moved into a prescription or dispensing result, would be its signature; and names that a verifier may
    /// take for ids.
    fileprivate func mustLeaveForms() throws(FormatError) {
        switch self {
        case .document: return
        case .element(let id):
            guard !["PrescriptionDocument", "Dispensing"].contains(id) else { throw .formWithoutSignature }
        case .object(let id):
            guard EnvelopedObject.isID(id) else { throw .referencesNotOfForm }
        case .detached(let name):
            guard let first = name.utf8.first, first > 0x20, first != UInt8(ascii: "#") else {
                throw .referencesNotOfForm
            }
        }
    }
}

extension XAdESSignature.DataReference {
    fileprivate init(_ place: XAdESPlace, _ digest: Digest, mimeType: String?) {
        switch place {
        case .document: self = .document(digest, mimeType: mimeType)
        case .element(let id): self = .element(id: id, digest, mimeType: mimeType)
        case .object(let id): self = .object(id: id, digest, mimeType: mimeType)
        case .detached(let name): self = .detached(name, digest, mimeType: mimeType)
        }
    }
}

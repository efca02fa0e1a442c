internal import Certificates
internal import Formats
package import HPKI
package import XML

/// The check of a document that was just assembled, from its final bytes, before anyone sees it.
///
/// Cryptography and structure alone: core judged the certificate's path before it used the key.
package enum OwnCheck {
    /// Throws the first thing that does not hold of the signature of `form` made under `certificate` (DER), or of the
    /// prescription's signature that a dispensing result carries.
    package static func verify(
        _ bytes: [UInt8], form: DocumentForm, certificate: [UInt8], limits: XMLLimits = .standard
    ) throws(Finding) {
        let document = try document(bytes, limits)
        let places = try SignaturePlaces(in: document).places
        guard let outer = places.last, outer.kind != .embeddedPrescription, outer.kind.form == form else {
            throw .format("not-an-e-prescription", "The document is not of the form that was signed.")
        }
        for place in places {
            let check = try XAdESCheck(try ParsedSignature(place.signature, .ePrescription), at: place)
            guard place.signature != outer.signature || check.certificate.der == certificate else {
                throw notBound
            }
        }
    }

    /// Throws the first thing that does not hold of the XML signatures of `bytes`, of which one at least must be made
    /// under `certificate` (DER).
    ///
    /// `detached` gives the data of References to something outside, by URI. Where only the digest of data is known,
    /// `digests` gives it by the Reference's URI ("" for the document), and DigestValue must equal it. That one
    /// certificate's signatures are checked; others in the document are not ours to answer for.
    package static func verifyXAdES(
        _ bytes: [UInt8], detached: [String: [UInt8]]? = nil, digests: [String: Digest]? = nil, certificate: [UInt8],
        limits: XMLLimits = .standard
    ) throws(Finding) {
        let document = try document(bytes, limits)
        let content = DetachedContent(named: detached ?? [:], digests: digests ?? [:])
        var count = 0
        var fault = notBound
        for element in document.signatures {
            let signature: ParsedSignature
            do {
                signature = try ParsedSignature(element, .any)
            } catch {
                // Somebody else's, unless no other is ours.
                fault = error
                continue
            }
            guard signature.certificates.first == certificate else { continue }
            let check = try XAdESCheck(signature, content)
            guard check.certificate.der == certificate, check.signature.properties?.certificate != nil else {
                throw notBound
            }
            count += 1
        }
        guard count > 0 else { throw fault }
    }

    static func document(_ bytes: [UInt8], _ limits: XMLLimits) throws(Finding) -> XMLDocument {
        do {
            return try XMLDocument(parsing: bytes, limits: limits)
        } catch {
            throw .format("not-well-formed", "The document is refused by the XML reader: \(error).")
        }
    }

    static let notBound = Finding.failed(
        .signatureCryptoFailure, "certificate-not-bound", "The signature names another certificate.")
}

internal import Certificates
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
        let document: XMLDocument
        do {
            document = try XMLDocument(parsing: bytes, limits: limits)
        } catch {
            throw .format("not-well-formed", "The document is refused by the XML reader: \(error).")
        }
        let places = try SignaturePlaces(in: document).places
        guard let outer = places.last, outer.kind.form == form else {
            throw .format("not-an-e-prescription", "The document is not of the form that was signed.")
        }
        for place in places {
            let check = try CryptographicCheck(try ParsedSignature(place.signature), at: place)
            guard place.signature != outer.signature || check.certificate.der == certificate else {
                throw .failed(
                    .signatureCryptoFailure, "certificate-not-bound", "The signature names another certificate."
                )
            }
        }
    }
}

extension SignatureReport.Kind {
    /// The form of the document whose outermost signature this is; none for an inner one.
    fileprivate var form: DocumentForm? {
        switch self {
        case .prescription: .prescription
        case .dispensing: .dispensing
        case .embeddedPrescription: nil
        }
    }
}

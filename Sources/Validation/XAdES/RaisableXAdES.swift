package import Certificates
internal import Formats
internal import HPKI
package import XML

/// One XML signature of a document as its next levels need it: whose it is, and what an archive time stamp is over.
package struct RaisableXAdES {
    /// The certificate by which the signature was made; nothing is said of trust.
    package let certificate: HPKICertificate
    /// Certificates that came with the signature.
    package let others: [HPKICertificate]
    private let check: XAdESCheck

    /// Reads the signature with this place among all of the document; throws what keeps it from holding.
    package init(
        _ document: XMLDocument, signature number: Int, _ content: DetachedContent = .none
    ) throws(Finding) {
        let elements = document.signatures
        guard elements.indices.contains(number) else {
            throw .format("no-signature", "The document holds no signature of this number.")
        }
        check = try XAdESCheck(try ParsedSignature(elements[number], .any), content)
        certificate = check.certificate
        others = check.checked.others
    }

    /// What an archive time stamp that is added now is over, in exclusive Canonical XML 1.0 (ETSI EN 319 132-1 §5.5.2);
    /// nil where data that the signature covers are not at hand.
    package var archiveOctets: [UInt8]? { check.nextArchiveOctets }
}

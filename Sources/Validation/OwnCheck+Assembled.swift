internal import Certificates
internal import Formats
package import XML

/// The check of a signature that a service made over a digest, from the final bytes, by whoever keeps the document.
///
/// The service is not asked whether its answer is right: beside what `OwnCheck` looks at, the very signature that came
/// must cover the document that stayed here. Whose the certificate is, and who vouches for it, is for a validator.
extension OwnCheck {
    /// Throws the first thing that does not hold of the XML signature `answer` in `bytes`, which must cover the data that
    /// are named `uri` there ("" for the document, `detached` by name).
    package static func verifyXAdES(
        _ bytes: [UInt8], around answer: [UInt8], covering uri: String, detached: [String: [UInt8]] = [:],
        limits: XMLLimits = .standard
    ) throws(Finding) {
        let alone = try document(answer, limits).root
        guard alone.isNamed("Signature", Namespaces.ds) else {
            throw .format("no-signature", "The answer is no XML signature.")
        }
        guard let certificate = try XAdESCheck.certificateNamed(by: try ParsedSignature(alone, .any)) else {
            throw notBound
        }
        try verifyXAdES(bytes, detached: detached, certificate: certificate.der, limits: limits)
        // Among several signatures of the same holder, the one that came.
        let own = try document(bytes, limits).signatures.first { $0.attribute("Id") == alone.attribute("Id") }
        guard let own else { throw .format("no-signature", "The signature that was answered is not in the document.") }
        let check = try XAdESCheck(try ParsedSignature(own, .any), DetachedContent(named: detached))
        guard check.covered.contains(where: { $0.uri.utf8.elementsEqual(uri.utf8) }) else {
            throw .format("missing-reference", "The signature does not cover the document.")
        }
    }

    /// Throws the first thing that does not hold of the CMS signature `bytes`, attached or not, over `content`.
    package static func verifyCAdES(_ bytes: [UInt8], over content: [UInt8]) throws(Finding) {
        let parsed = try ParsedCAdES(bytes)
        let check = try CAdESCheck(parsed, content: CAdESContent(octets: content))
        try verifyCAdES(bytes, content: content, contentDigest: nil, certificate: check.certificate.der)
    }
}

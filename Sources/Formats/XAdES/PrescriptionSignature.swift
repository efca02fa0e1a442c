package import HPKI

/// The signature element of prescriptions and dispensing results before its value is known.
///
/// The form is the one seen in the field: XAdES-BES (ETSI EN 319 132-1 §6.3, without a time stamp), internally
/// detached; three References in the order data, KeyInfo, SignedProperties; the data Reference without Transforms, so
/// that it is digested in inclusive Canonical XML 1.0; `SigningCertificateV2` without issuer and serial; the
/// end-entity certificate alone in `KeyInfo`.
/// Every byte follows from the five inputs, so the two processes build the same signature apart from each other.
package struct PrescriptionSignature: Sendable, Hashable {
    package let form: DocumentForm
    /// SHA-256 over the inclusive canonical form of the data element.
    package let dataDigest: Digest
    /// The end-entity certificate, DER.
    package let certificate: [UInt8]
    /// Cut to whole seconds.
    package let signingTime: Instant
    package let algorithm: SignatureAlgorithm

    private let names: Names
    private let signingTimeText: String

    /// Takes the inputs; throws where this form cannot carry them.
    package init(
        form: DocumentForm, dataDigest: Digest, certificate: [UInt8], signingTime: Instant,
        algorithm: SignatureAlgorithm
    ) throws(FormatError) {
        guard let names = Names(form: form) else { throw .formWithoutSignature }
        guard dataDigest.algorithm == .sha256 else { throw .digestAlgorithmNotOfForm }
        guard let text = signingTime.xmlDateTime else { throw .timeOutOfRange }
        self.form = form
        self.dataDigest = dataDigest
        self.certificate = certificate
        self.signingTime = signingTime.wholeSecond
        self.algorithm = algorithm
        self.names = names
        signingTimeText = text
    }

    /// The canonical `SignedInfo` (exclusive Canonical XML 1.0), UTF-8: what the key signs.
    package var bytesToSign: [UInt8] {
        let parts = parts
        return Array(parts.signedInfo(apex: " xmlns:xs=\"\(Namespaces.ds)\"").utf8)
    }

    /// The whole `Signature` element, UTF-8, with `value` as raw octets (RFC 8017) or r‖s (RFC 6931 §2.3.6).
    package func assemble(value: [UInt8]) -> [UInt8] {
        let parts = parts
        let text =
            "<xs:Signature xmlns:xs=\"\(Namespaces.ds)\" Id=\"\(names.signature)\">"
            + parts.signedInfo(apex: "")
            + "<xs:SignatureValue Id=\"\(parts.id)-SignatureValue\">\(Base64.encode(value))</xs:SignatureValue>"
            + parts.keyInfo(apex: "")
            + "<xs:Object xmlns:xa=\"\(Namespaces.xades)\">"
            + "<xa:QualifyingProperties Id=\"\(parts.id)-QualifyingProperties\" Target=\"#\(names.signature)\">"
            + parts.signedProperties(apex: "", inner: "")
            + "</xa:QualifyingProperties></xs:Object></xs:Signature>"
        return Array(text.utf8)
    }

    private var parts: Parts {
        Parts(
            names: names, dataDigest: dataDigest, certificate: certificate, signingTime: signingTimeText,
            algorithm: algorithm
        )
    }
}

/// The names that differ between the two forms.
private struct Names: Sendable, Hashable {
    let signature: String
    let data: String

    init?(form: DocumentForm) {
        switch form {
        case .prescription:
            signature = "PrescriptionSign"
            data = "PrescriptionDocument"
        case .dispensing:
            signature = "DispensingSign"
            data = "Dispensing"
        case .other:
            return nil
        }
    }
}

/// The text of each part, once as it stands in the document and once with the namespaces of a canonical apex.
private struct Parts {
    let names: Names
    let dataDigest: Digest
    let encodedCertificate: String
    let certificateDigest: String
    let signingTime: String
    let algorithm: SignatureAlgorithm
    /// The stem of all ids: deterministic, and different for different documents, times and certificates, so that a
    /// dispensing result and the prescription inside it never share one.
    let id: String

    init(
        names: Names, dataDigest: Digest, certificate: [UInt8], signingTime: String, algorithm: SignatureAlgorithm
    ) {
        self.names = names
        self.dataDigest = dataDigest
        self.signingTime = signingTime
        self.algorithm = algorithm
        let fingerprint = Digest(of: certificate)
        certificateDigest = Base64.encode(fingerprint.bytes)
        encodedCertificate = Base64.encode(certificate)
        let seed = Array(names.signature.utf8) + dataDigest.bytes + fingerprint.bytes + Array(signingTime.utf8)
        id = "id" + Hex.encode(Array(Digest(of: seed).bytes.prefix(8)))
    }

    func signedInfo(apex: String) -> String {
        "<xs:SignedInfo\(apex) Id=\"\(id)-SignedInfo\">"
            + "<xs:CanonicalizationMethod Algorithm=\"\(Namespaces.exclusive)\"></xs:CanonicalizationMethod>"
            + "<xs:SignatureMethod Algorithm=\"\(algorithm.xmlIdentifier)\"></xs:SignatureMethod>"
            + "<xs:Reference Id=\"\(id)-Reference1-Detached\" URI=\"#\(names.data)\">"
            + digest(Base64.encode(dataDigest.bytes))
            + "</xs:Reference><xs:Reference Id=\"\(id)-Reference2-KeyInfo\" URI=\"#\(id)-KeyInfo\">"
            + exclusiveTransform
            + digest(Base64.encode(Digest(of: Array(keyInfo(apex: " xmlns:xs=\"\(Namespaces.ds)\"").utf8)).bytes))
            + "</xs:Reference><xs:Reference Id=\"\(id)-Reference3-SignedProperties\""
            + " Type=\"http://uri.etsi.org/01903#SignedProperties\" URI=\"#\(id)-SignedProperties\">"
            + exclusiveTransform
            + digest(Base64.encode(Digest(of: Array(canonicalSignedProperties.utf8)).bytes))
            + "</xs:Reference></xs:SignedInfo>"
    }

    func keyInfo(apex: String) -> String {
        "<xs:KeyInfo\(apex) Id=\"\(id)-KeyInfo\"><xs:X509Data><xs:X509Certificate>"
            + encodedCertificate
            + "</xs:X509Certificate></xs:X509Data></xs:KeyInfo>"
    }

    /// `inner` stands on each element of the signature namespace: exclusive canonicalisation declares a prefix where
    /// it is first used, which is below the apex here.
    func signedProperties(apex: String, inner: String) -> String {
        "<xa:SignedProperties\(apex) Id=\"\(id)-SignedProperties\"><xa:SignedSignatureProperties>"
            + "<xa:SigningTime>\(signingTime)</xa:SigningTime>"
            + "<xa:SigningCertificateV2><xa:Cert><xa:CertDigest>"
            + "<xs:DigestMethod\(inner) Algorithm=\"\(Namespaces.sha256)\"></xs:DigestMethod>"
            + "<xs:DigestValue\(inner)>\(certificateDigest)</xs:DigestValue>"
            + "</xa:CertDigest></xa:Cert></xa:SigningCertificateV2>"
            + "</xa:SignedSignatureProperties></xa:SignedProperties>"
    }

    private var canonicalSignedProperties: String {
        signedProperties(apex: " xmlns:xa=\"\(Namespaces.xades)\"", inner: " xmlns:xs=\"\(Namespaces.ds)\"")
    }

    private var exclusiveTransform: String {
        "<xs:Transforms><xs:Transform Algorithm=\"\(Namespaces.exclusive)\"></xs:Transform></xs:Transforms>"
    }

    private func digest(_ value: String) -> String {
        "<xs:DigestMethod Algorithm=\"\(Namespaces.sha256)\"></xs:DigestMethod>"
            + "<xs:DigestValue>\(value)</xs:DigestValue>"
    }
}

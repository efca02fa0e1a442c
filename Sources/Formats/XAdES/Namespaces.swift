package import HPKI
package import XML

/// The namespaces and algorithm identifiers of XML signatures.
package enum Namespaces {
    /// XML Signature (W3C xmldsig-core1 §1.3).
    package static let ds = "http://www.w3.org/2000/09/xmldsig#"
    /// XAdES 1.3.2 (ETSI EN 319 132-1 §4.2).
    package static let xades = "http://uri.etsi.org/01903/v1.3.2#"
    /// XAdES 1.4.1 (ETSI EN 319 132-1 §4.2).
    package static let xades141 = "http://uri.etsi.org/01903/v1.4.1#"
    /// XML Schema instance, the one namespace that a prescription declares.
    package static let xsi = "http://www.w3.org/2001/XMLSchema-instance"
    /// Exclusive XML Canonicalization 1.0 without comments.
    package static let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    /// The enveloped signature transform (xmldsig-core1 §6.6.4).
    package static let envelopedSignature = ds + "enveloped-signature"
    /// Base64 (xmldsig-core1 §6.6.2).
    package static let base64 = ds + "base64"
    /// SHA-256 (xmlenc-core1 §5.8.2).
    package static let sha256 = "http://www.w3.org/2001/04/xmlenc#sha256"
    /// The Type of the Reference to the signed properties (ETSI EN 319 132-1 §4.3.1).
    package static let signedPropertiesType = "http://uri.etsi.org/01903#SignedProperties"
}

extension SignatureAlgorithm {
    /// The identifier in `SignatureMethod` (RFC 6931 §2.3).
    package var xmlIdentifier: String {
        switch self {
        case .rsaPKCS1SHA256: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
        case .rsaPKCS1SHA384: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
        case .rsaPKCS1SHA512: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
        case .rsaPSSSHA256: "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
        case .rsaPSSSHA384: "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1"
        case .rsaPSSSHA512: "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1"
        case .ecdsaP256SHA256: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
        case .ecdsaP384SHA384: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
        }
    }
}

extension XMLDocument {
    /// Every `Signature` element, in the order of the document.
    package var signatures: [XMLElement] {
        ([root] + root.descendants).filter { $0.isNamed("Signature", Namespaces.ds) }
    }
}

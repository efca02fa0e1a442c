internal import Formats
internal import HPKI
internal import XML

/// The parts of a `ds:Signature` with XAdES properties, after its structure was found to be the form's.
///
/// Order and number of children are those of xmldsig-core1 §4; whatever is not understood is refused.
struct ParsedSignature {
    private static let referenceLimit = 16
    private static let certificateLimit = 8

    let element: XMLElement
    let signedInfo: XMLElement
    let method: CanonicalizationChoice
    let signatureMethod: String
    let references: [ParsedReference]
    let value: [UInt8]
    let keyInfo: XMLElement
    /// DER.
    let certificates: [[UInt8]]
    let properties: SignedProperties

    init(_ element: XMLElement) throws(Finding) {
        self.element = element
        let children = element.children
        guard children.count == 4, children[0].isNamed("SignedInfo", Namespaces.ds),
            children[1].isNamed("SignatureValue", Namespaces.ds), children[2].isNamed("KeyInfo", Namespaces.ds),
            children[3].isNamed("Object", Namespaces.ds)
        else {
            throw .format("signature-structure", "A signature has SignedInfo, SignatureValue, KeyInfo and one Object.")
        }
        signedInfo = children[0]
        keyInfo = children[2]
        let parts = signedInfo.children
        guard parts.count >= 3, parts.count <= Self.referenceLimit + 2,
            parts[0].isNamed("CanonicalizationMethod", Namespaces.ds),
            parts[1].isNamed("SignatureMethod", Namespaces.ds)
        else {
            throw .format("signed-info-structure", "SignedInfo has two methods and one to 16 References.")
        }
        method = try CanonicalizationChoice(parts[0])
        guard let algorithm = parts[1].attribute("Algorithm"), !parts[1].hasElementChildren else {
            throw .format("signature-method", "SignatureMethod has parameters or no algorithm.")
        }
        signatureMethod = algorithm
        var references: [ParsedReference] = []
        for part in parts.dropFirst(2) { references.append(try ParsedReference(part)) }
        self.references = references
        guard let value = Base64.decodeIgnoringWhiteSpace(children[1].textBytes), !value.isEmpty,
            !children[1].hasElementChildren
        else { throw .format("signature-value", "SignatureValue is not Base64.") }
        self.value = value
        certificates = try Self.certificates(in: keyInfo)
        properties = try SignedProperties(in: children[3], of: element)
    }

    private static func certificates(in keyInfo: XMLElement) throws(Finding) -> [[UInt8]] {
        var found: [[UInt8]] = []
        for data in keyInfo.children {
            guard data.isNamed("X509Data", Namespaces.ds) else {
                throw .format("key-info-structure", "KeyInfo holds something other than X509Data.")
            }
            for certificate in data.children("X509Certificate", Namespaces.ds) {
                guard let der = Base64.decodeIgnoringWhiteSpace(certificate.textBytes), found.count < certificateLimit
                else { throw .format("certificate-malformed", "KeyInfo's certificates are not Base64, or too many.") }
                found.append(der)
            }
        }
        guard !found.isEmpty else {
            throw .unknown(.noSigningCertificate, "no-signing-certificate", "KeyInfo holds no certificate.")
        }
        return found
    }
}

/// A canonicalisation that is accepted, with its `InclusiveNamespaces`.
struct CanonicalizationChoice {
    let method: Canonicalization
    let prefixes: [String]

    /// Canonical XML 1.0 without an element of its own (xmldsig-core1 §4.4.3.2).
    static let implied = CanonicalizationChoice(method: .inclusive10, prefixes: [])

    private init(method: Canonicalization, prefixes: [String]) {
        self.method = method
        self.prefixes = prefixes
    }

    init(_ element: XMLElement) throws(Finding) {
        guard let method = element.attribute("Algorithm").flatMap({ Canonicalization(algorithm: $0) }),
            [.inclusive10, .inclusive11, .exclusive10].contains(method)
        else {
            throw .format("canonicalization-not-allowed", "Only canonicalisation without comments may be used.")
        }
        var prefixes: [String] = []
        for child in element.children {
            guard method == .exclusive10, child.isNamed("InclusiveNamespaces", Namespaces.exclusive),
                element.children.count == 1, let list = child.attribute("PrefixList")
            else { throw .format("canonicalization-not-allowed", "A canonicalisation has unknown parameters.") }
            prefixes = list.split(separator: " ").map(String.init)
            guard prefixes.count <= 16 else {
                throw .format("canonicalization-not-allowed", "PrefixList is too long.")
            }
        }
        self.init(method: method, prefixes: prefixes)
    }

    func canonicalize(_ element: XMLElement) -> [UInt8] {
        method.canonicalize(element, inclusiveNamespaces: prefixes)
    }
}

/// One `ds:Reference` within the document.
struct ParsedReference {
    let uri: String
    let type: String?
    let method: CanonicalizationChoice
    let digestMethod: String
    let digest: [UInt8]

    init(_ element: XMLElement) throws(Finding) {
        var children = element.children[...]
        guard element.isNamed("Reference", Namespaces.ds), let uri = element.attribute("URI") else {
            throw .format("reference-structure", "SignedInfo has something other than a Reference with URI.")
        }
        self.uri = uri
        type = element.attribute("Type")
        if let transforms = children.first, transforms.isNamed("Transforms", Namespaces.ds) {
            children = children.dropFirst()
            let list = transforms.children
            guard list.count == 1, let only = list.first, only.isNamed("Transform", Namespaces.ds) else {
                throw .format("transform-not-allowed", "A Reference may have one canonicalisation and nothing else.")
            }
            method = try CanonicalizationChoice(only)
        } else {
            method = .implied
        }
        let value = try DigestPair(Array(children), Namespaces.ds)
        digestMethod = value.algorithm
        digest = value.value
    }
}

/// `DigestMethod` and `DigestValue`.
struct DigestPair {
    let algorithm: String
    let value: [UInt8]

    init(_ children: [XMLElement], _ namespace: String) throws(Finding) {
        guard children.count == 2, children[0].isNamed("DigestMethod", namespace),
            children[1].isNamed("DigestValue", namespace), !children[0].hasElementChildren,
            !children[1].hasElementChildren, let algorithm = children[0].attribute("Algorithm"),
            let value = Base64.decodeIgnoringWhiteSpace(children[1].textBytes)
        else { throw .format("digest-structure", "A digest has DigestMethod and DigestValue in Base64.") }
        self.algorithm = algorithm
        self.value = value
    }
}

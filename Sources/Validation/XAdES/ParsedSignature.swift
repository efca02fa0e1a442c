internal import Formats
internal import HPKI
internal import XML

/// How much freedom the structure of a signature has.
enum SignatureStructure {
    /// The e-prescription form: four parts, canonicalisation as the only transform, every child understood.
    case ePrescription
    /// What XML Signature allows, as far as it leads to octets within the document or given beside it.
    case any
}

/// The parts of a `ds:Signature`, after its structure was found to be as the form, or XML Signature, has it.
///
/// Order and number of children are those of xmldsig-core1 §4; whatever is not understood is refused.
struct ParsedSignature {
    static let referenceLimit = 16
    private static let certificateLimit = 16

    let element: XMLElement
    let structure: SignatureStructure
    let signedInfo: XMLElement
    let method: CanonicalizationChoice
    let signatureMethod: String
    let references: [ParsedReference]
    let valueElement: XMLElement
    let value: [UInt8]
    let keyInfo: XMLElement?
    /// Those of KeyInfo, DER.
    let certificates: [[UInt8]]
    let objects: [XMLElement]
    /// Nil for a signature without XAdES properties, which no e-prescription has.
    let properties: SignedProperties?

    init(_ element: XMLElement, _ structure: SignatureStructure = .any) throws(Finding) {
        self.element = element
        self.structure = structure
        let parts = try Self.parts(of: element, structure)
        (signedInfo, valueElement, keyInfo, objects) = (parts.info, parts.value, parts.keyInfo, parts.objects)
        let info = signedInfo.children
        guard info.count >= 3, info.count <= Self.referenceLimit + 2,
            info[0].isNamed("CanonicalizationMethod", Namespaces.ds), info[1].isNamed("SignatureMethod", Namespaces.ds)
        else {
            throw .format("signed-info-structure", "SignedInfo has two methods and one to 16 References.")
        }
        method = try CanonicalizationChoice(info[0])
        guard let algorithm = info[1].attribute("Algorithm"), !info[1].hasElementChildren else {
            throw .format("signature-method", "SignatureMethod has parameters or no algorithm.")
        }
        signatureMethod = algorithm
        var references: [ParsedReference] = []
        for part in info.dropFirst(2) { references.append(try ParsedReference(part, structure)) }
        self.references = references
        guard let value = Base64.decodeIgnoringWhiteSpace(valueElement.textBytes), !value.isEmpty,
            !valueElement.hasElementChildren
        else { throw .format("signature-value", "SignatureValue is not Base64.") }
        self.value = value
        certificates = try keyInfo.map { (info) throws(Finding) in try Self.certificates(in: info, structure) } ?? []
        guard structure == .any || !certificates.isEmpty else {
            throw .unknown(.noSigningCertificate, "no-signing-certificate", "KeyInfo holds no certificate.")
        }
        let holders = objects.filter { $0.firstChild("QualifyingProperties", Namespaces.xades) != nil }
        guard holders.count <= 1 else {
            throw .format("properties-structure", "The signature has qualifying properties more than once.")
        }
        properties =
            structure == .ePrescription
            ? try SignedProperties(in: objects[0], of: element, structure)
            : try holders.first.map { (holder) throws(Finding) in
                try SignedProperties(in: holder, of: element, structure)
            }
    }

    private static func parts(
        of element: XMLElement, _ structure: SignatureStructure
    ) throws(Finding) -> (info: XMLElement, value: XMLElement, keyInfo: XMLElement?, objects: [XMLElement]) {
        var rest = element.children[...]
        let fault =
            structure == .ePrescription
            ? Finding.format(
                "signature-structure", "A signature has SignedInfo, SignatureValue, KeyInfo and one Object.")
            : .format("signature-structure", "The parts of the signature are not those of XML Signature.")
        guard let info = rest.popFirst(), let value = rest.popFirst(), info.isNamed("SignedInfo", Namespaces.ds),
            value.isNamed("SignatureValue", Namespaces.ds)
        else { throw fault }
        var keyInfo: XMLElement?
        if let first = rest.first, first.isNamed("KeyInfo", Namespaces.ds) { keyInfo = rest.popFirst() }
        guard rest.allSatisfy({ $0.isNamed("Object", Namespaces.ds) }),
            structure == .any || (keyInfo != nil && rest.count == 1)
        else { throw fault }
        return (info, value, keyInfo, Array(rest))
    }

    private static func certificates(
        in keyInfo: XMLElement, _ structure: SignatureStructure
    ) throws(Finding) -> [[UInt8]] {
        var found: [[UInt8]] = []
        for data in keyInfo.children {
            guard data.isNamed("X509Data", Namespaces.ds) else {
                // Other ways to name a key are passed over: the certificate decides, and nothing is fetched.
                if structure == .any { continue }
                throw .format("key-info-structure", "KeyInfo holds something other than X509Data.")
            }
            for certificate in data.children("X509Certificate", Namespaces.ds) {
                guard let der = Base64.decodeIgnoringWhiteSpace(certificate.textBytes), found.count < certificateLimit
                else { throw .format("certificate-malformed", "KeyInfo's certificates are not Base64, or too many.") }
                found.append(der)
            }
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

    /// Exclusive Canonical XML 1.0.
    static let exclusive = CanonicalizationChoice(method: .exclusive10, prefixes: [])

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

    func canonicalize(_ element: XMLElement, excluding: XMLElement? = nil) -> [UInt8] {
        method.canonicalize(element, inclusiveNamespaces: prefixes, excluding: excluding)
    }

    func canonicalize(_ document: XMLDocument, excluding: XMLElement? = nil) -> [UInt8] {
        method.canonicalize(document, inclusiveNamespaces: prefixes, excluding: excluding)
    }
}

/// One `ds:Reference`.
struct ParsedReference {
    /// Nil where the signer left it to the application.
    let uri: String?
    let type: String?
    /// Whether the signature itself is taken out of what is referred to.
    let isEnveloped: Bool
    /// The canonicalisation among the transforms; nil where none is, so that the last step's own applies.
    let canonicalization: CanonicalizationChoice?
    let digestMethod: String
    let digest: [UInt8]

    /// The canonicalisation that takes nodes to the octets that are digested.
    var method: CanonicalizationChoice { canonicalization ?? .implied }

    init(_ element: XMLElement, _ structure: SignatureStructure) throws(Finding) {
        var children = element.children[...]
        uri = element.attribute("URI")
        guard element.isNamed("Reference", Namespaces.ds), structure == .any || uri != nil else {
            throw .format("reference-structure", "SignedInfo has something other than a Reference with URI.")
        }
        type = element.attribute("Type")
        var isEnveloped = false
        var canonicalization: CanonicalizationChoice?
        if let transforms = children.first, transforms.isNamed("Transforms", Namespaces.ds) {
            children = children.dropFirst()
            var list = transforms.children[...]
            guard structure == .any || list.count == 1, list.allSatisfy({ $0.isNamed("Transform", Namespaces.ds) })
            else {
                throw .format("transform-not-allowed", "A Reference may have one canonicalisation and nothing else.")
            }
            if structure == .any, list.first?.attribute("Algorithm") == Namespaces.envelopedSignature {
                guard list.first?.hasElementChildren == false else { throw Self.strangeTransform }
                isEnveloped = true
                list.removeFirst()
            }
            guard list.count <= 1, isEnveloped || !list.isEmpty else { throw Self.strangeTransform }
            // Canonicalisation comes last: behind it are octets, which no other transform may take.
            if let only = list.first { canonicalization = try Self.canonicalization(only, structure) }
        }
        self.isEnveloped = isEnveloped
        self.canonicalization = canonicalization
        let value = try DigestPair(Array(children), Namespaces.ds)
        digestMethod = value.algorithm
        digest = value.value
    }

    private static func canonicalization(
        _ transform: XMLElement, _ structure: SignatureStructure
    ) throws(Finding) -> CanonicalizationChoice {
        guard structure == .ePrescription || transform.attribute("Algorithm").map(Self.isCanonicalization) == true
        else { throw strangeTransform }
        return try CanonicalizationChoice(transform)
    }

    private static func isCanonicalization(_ algorithm: String) -> Bool {
        Canonicalization(algorithm: algorithm) != nil
    }

    private static let strangeTransform = Finding.format(
        "transform-not-allowed", "A Reference may leave the signature out and have one canonicalisation, nothing else.")
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

    /// The function that `algorithm` names; throws where it is not accepted, which fails a known form and leaves any
    /// other signature indeterminate.
    static func function(_ identifier: String, _ structure: SignatureStructure) throws(Finding) -> DigestAlgorithm {
        switch identifier {
        case Namespaces.sha256: return .sha256
        case "http://www.w3.org/2001/04/xmldsig-more#sha384": return .sha384
        case "http://www.w3.org/2001/04/xmlenc#sha512": return .sha512
        default:
            throw .notAccepted("A digest algorithm is not accepted; SHA-1 is none.", structure)
        }
    }
}

extension Finding {
    /// An algorithm that is not accepted (ETSI EN 319 102-1 §5.2.8).
    static func notAccepted(_ sentence: String, _ structure: SignatureStructure) -> Finding {
        structure == .ePrescription
            ? .failed(.cryptoConstraintsFailure, "algorithm-not-accepted", sentence)
            : .unknown(.cryptoConstraintsFailure, "algorithm-not-accepted", sentence)
    }
}

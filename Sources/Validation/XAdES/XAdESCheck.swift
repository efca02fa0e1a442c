internal import Certificates
internal import Formats
internal import HPKI
internal import XML

/// Digests, signature value and the binding of the certificate: everything but trust.
struct XAdESCheck {
    let signature: ParsedSignature
    let certificate: HPKICertificate
    let covered: [SignatureReport.Coverage]
    let scheme: SignatureScheme
    let budget: JudgementBudget
    let targets: [ReferenceTarget]
    let digests: Set<DigestAlgorithm>
    private(set) var findings: [Finding] = []

    /// Checks a signature of a known form at its place; throws the first thing that does not hold.
    init(
        _ signature: ParsedSignature, at place: SignaturePlace, _ budget: JudgementBudget = JudgementBudget()
    ) throws(Finding) {
        try self.init(signature, certificate: try Self.certificateNamed(by: signature), budget) {
            (reference) throws(Finding) in
            try Self.element(of: reference, in: signature, at: place)
        }
    }

    /// Checks any other signature, of the document and of `content`; throws the first thing that does not hold.
    init(
        _ signature: ParsedSignature, _ content: DetachedContent, _ budget: JudgementBudget = JudgementBudget()
    ) throws(Finding) {
        let certificate = try Self.certificateNamed(by: signature)
        try self.init(signature, certificate: certificate, budget) { (reference) throws(Finding) in
            try ReferenceTarget(of: reference, in: signature.element, content)
        }
    }

    private init(
        _ signature: ParsedSignature, certificate: HPKICertificate?, _ budget: JudgementBudget,
        target: (ParsedReference) throws(Finding) -> ReferenceTarget
    ) throws(Finding) {
        self.signature = signature
        self.budget = budget
        try budget.mustBeInTime()
        let isForm = signature.structure == .ePrescription
        var targets: [ReferenceTarget] = []
        var covered: [SignatureReport.Coverage] = []
        var digests: Set<DigestAlgorithm> = []
        for reference in signature.references {
            let target = try target(reference)
            guard !targets.contains(target) || (!isForm && target.isOutside) else {
                throw .format("repeated-reference", "Two References are to the same element.")
            }
            targets.append(target)
            try budget.take(octets: target.inputByteCount)
            let algorithm = try DigestPair.function(reference.digestMethod, signature.structure)
            digests.insert(algorithm)
            let count = try Self.check(reference, target, algorithm, in: signature.element)
            try budget.take(octets: count)
            if try signature.isData(target, reference) {
                covered.append(SignatureReport.Coverage(target, reference, byteCount: count, in: signature.element))
            }
        }
        if let properties = signature.properties {
            guard targets.contains(.element(properties.element)) else {
                throw .format("missing-reference", "The data element or the signed properties are not signed.")
            }
        }
        guard !covered.isEmpty else {
            throw isForm
                ? .format("missing-reference", "The data element or the signed properties are not signed.")
                : .format("covers-nothing", "The signature covers no data, only itself.")
        }
        scheme = try XMLSignatureMethod.scheme(signature.signatureMethod, signature.structure)
        self.certificate = try Self.checkValue(of: signature, scheme, certificate)
        self.targets = targets
        self.covered = covered
        self.digests = digests
        findings = openEnds(isKeyInfoSigned: signature.keyInfo.map { targets.contains(.element($0)) } == true)
    }

    /// The digest of one Reference; gives the number of octets that it is of.
    private static func check(
        _ reference: ParsedReference, _ target: ReferenceTarget, _ algorithm: DigestAlgorithm, in signature: XMLElement
    ) throws(Finding) -> Int {
        let found: [UInt8]
        let count: Int
        var name = "The signed data"
        if case .known(let digest) = target {
            guard digest.algorithm == algorithm else {
                throw .failed(.hashFailure, "digest-mismatch", "The data were digested by another function.")
            }
            (found, count) = (digest.bytes, 0)
        } else {
            let octets = try target.octets(by: reference, in: signature)
            (found, count) = (Digest(of: octets, by: algorithm).bytes, octets.count)
            if case .element(let element) = target { name = "The element \(element.localName)" }
        }
        guard found == reference.digest else {
            let verb = name == "The signed data" ? "are" : "is"
            throw .failed(.hashFailure, "digest-mismatch", "\(name) \(verb) not what was signed.")
        }
        return count
    }

    private func openEnds(isKeyInfoSigned: Bool) -> [Finding] {
        var findings: [Finding] = []
        if signature.properties?.certificate == nil, !isKeyInfoSigned {
            findings.append(
                .unknown(
                    .signatureConstraintsFailure, "signing-certificate-not-signed",
                    "The signature does not say, under itself, by which certificate it was made."))
        }
        let strange = signature.objects.contains { object in
            let only = object.children.count == 1 ? object.children.first : nil
            return !targets.contains(.element(object)) && signature.properties?.element.isInside(object) != true
                && !(only.map { targets.contains(.element($0)) } ?? false)
        }
        if strange, signature.structure == .any {
            findings.append(
                .unknown(
                    .signatureConstraintsFailure, "unsigned-object",
                    "The signature holds an Object that it does not cover."))
        }
        if covered.contains(where: { $0.element == "Manifest" }) {
            findings.append(
                .unknown(
                    .signatureConstraintsFailure, "manifest-not-examined",
                    "The signature covers a list of other data, which were not compared with it."))
        }
        return findings
    }

    // MARK: The certificate

    /// The certificate that the signed properties name by digest; nil where they name none.
    static func certificateNamed(by signature: ParsedSignature) throws(Finding) -> HPKICertificate? {
        guard let named = signature.properties?.certificate else { return nil }
        let algorithm = try DigestPair.function(named.algorithm, signature.structure)
        var candidates = signature.certificates
        if signature.structure == .any {
            candidates += signature.properties?.unsigned.material.certificates ?? []
            guard !candidates.isEmpty else { throw noCertificate }
        }
        guard let der = candidates.first(where: { Digest(of: $0, by: algorithm).bytes == named.value }) else {
            throw .failed(
                .signatureCryptoFailure, "certificate-not-bound",
                "The signed properties name another certificate than KeyInfo holds."
            )
        }
        guard let certificate = ReadCertificates.certificate(der) else {
            throw .format("certificate-malformed", "The signing certificate cannot be read.")
        }
        return certificate
    }

    private static let noCertificate = Finding.unknown(
        .noSigningCertificate, "no-signing-certificate", "The signature holds no certificate.")

    /// Checks SignatureValue; without a named certificate it is the one of KeyInfo whose key made the value.
    private static func checkValue(
        of signature: ParsedSignature, _ scheme: SignatureScheme, _ named: HPKICertificate?
    ) throws(Finding) -> HPKICertificate {
        let candidates = named.map { [$0] } ?? signature.certificates.compactMap(ReadCertificates.certificate)
        guard !candidates.isEmpty else { throw noCertificate }
        let bytes = signature.method.canonicalize(signature.signedInfo)
        for candidate in candidates {
            do throws(SignatureError) {
                try XMLSignatureMethod.verify(signature.value, over: bytes, scheme: scheme, by: candidate.publicKey)
                return candidate
            } catch {
                continue
            }
        }
        throw .failed(.signatureCryptoFailure, "signature-value-mismatch", "The signature value does not hold.")
    }

    // MARK: The e-prescription form

    /// The very element that must be meant; any other Reference is refused, a Manifest among them.
    private static func element(
        of reference: ParsedReference, in signature: ParsedSignature, at place: SignaturePlace
    ) throws(Finding) -> ReferenceTarget {
        let strange = Finding.format("unexpected-reference", "A Reference is to something the form does not sign.")
        guard let uri = reference.uri, uri.utf8.first == UInt8(ascii: "#"),
            // A byte, not a Character: a combining mark behind `#` belongs to the id.
            let target = signature.element.document.element(
                id: String(decoding: uri.utf8.dropFirst(), as: UTF8.self))
        else { throw strange }
        if target == signature.properties?.element || target == signature.keyInfo { return .element(target) }
        guard target == place.data, uri.utf8.elementsEqual(place.uri.utf8) else { throw strange }
        return .element(target)
    }
}

extension ReferenceTarget {
    fileprivate var isOutside: Bool {
        switch self {
        case .outside, .known: true
        case .element, .document: false
        }
    }
}

extension ParsedSignature {
    /// Whether a Reference is to data, and not to a part of the signature that speaks of the signature itself.
    ///
    /// Throws where a Reference lies about what it is to, or is to what nothing may sign.
    fileprivate func isData(_ target: ReferenceTarget, _ reference: ParsedReference) throws(Finding) -> Bool {
        let isToProperties = reference.type == Namespaces.signedPropertiesType
        let strange = Finding.format("unexpected-reference", "A Reference is to something the form does not sign.")
        guard case .element(let element) = target else {
            guard !isToProperties else { throw strange }
            return true
        }
        if element == properties?.element {
            guard isToProperties else {
                throw .format("signed-properties-type", "The Reference to the signed properties lacks its Type.")
            }
            return false
        }
        guard !isToProperties, structure == .any || reference.type == nil else { throw strange }
        if element == keyInfo { return false }
        guard element.isInside(self.element), element != self.element else { return true }
        // Within the signature, data stand in an Object of their own.
        guard objects.contains(where: { element.isInside($0) && properties?.element.isInside($0) != true }) else {
            throw strange
        }
        return true
    }
}

extension SignatureReport.Coverage {
    fileprivate init(
        _ target: ReferenceTarget, _ reference: ParsedReference, byteCount: Int, in signature: XMLElement
    ) {
        uri = reference.uri ?? ""
        canonicalByteCount = byteCount
        // Octets from outside are digested as they are unless a transform makes a canonical form of them.
        leavesOutComments = !target.isOutside || reference.canonicalization != nil
        switch target {
        case .element(let found):
            (kind, element, path) = (.element, found.localName, found.path)
            id = String(decoding: (reference.uri ?? "").utf8.dropFirst(), as: UTF8.self)
            isWholeDocument = false
        case .document(let document):
            (kind, element, id, path) = (.document, document.root.localName, "", document.root.path)
            isWholeDocument = true
        case .outside, .known:
            (kind, element, id, path, isWholeDocument) = (.octets, "", "", "", false)
        }
    }
}

extension XMLElement {
    /// The local names from the root down to this element, for people to find it.
    fileprivate var path: String {
        var names: [String] = []
        var next: XMLElement? = self
        while let element = next {
            names.append(element.localName)
            next = element.parent
        }
        return "/" + names.reversed().joined(separator: "/")
    }
}

package import HPKI
internal import XML

/// A XAdES baseline signature of level B-B before its value is known, for documents of any kind (ETSI EN 319 132-1 §6.3
/// as recalled; XML Signature 1.1).
///
/// The documents are known by their digests alone. Every byte follows from the inputs, so two processes, or a client and
/// this service, build the same signature apart from each other.
package struct XAdESSignature: Sendable, Hashable {
    /// What one Reference covers, and how it comes to the octets that are digested.
    package struct DataReference: Sendable, Hashable {
        /// A step on the way to the octets.
        package enum Transform: Sendable, Hashable {
            /// Takes the signature itself out of what encloses it (xmldsig-core1 §6.6.4).
            case enveloped
            /// Exclusive Canonical XML 1.0 without comments.
            case exclusive
        }

        /// Empty for the whole document, `#` and an id for an element of it, else the name of something outside.
        package let uri: String
        package let transforms: [Transform]
        package let digest: Digest
        package let mimeType: String?

        private init(_ uri: String, _ transforms: [Transform], _ digest: Digest, _ mimeType: String?) {
            self.uri = uri
            self.transforms = transforms
            self.digest = digest
            self.mimeType = mimeType
        }

        /// Whether XML can hold its words.
        fileprivate var isWritable: Bool {
            (uri + (mimeType ?? "")).unicodeScalars.allSatisfy {
                $0.value >= 0x20 && $0.value != 0xFFFE && $0.value != 0xFFFF
            }
        }

        /// The document around the signature; `digest` is over its exclusive canonical form without the signature.
        package static func document(_ digest: Digest, mimeType: String? = "text/xml") -> DataReference {
            DataReference("", [.enveloped, .exclusive], digest, mimeType)
        }

        /// An element with this id in the same document; `digest` is over its exclusive canonical form.
        package static func element(id: String, _ digest: Digest, mimeType: String? = "text/xml") -> DataReference {
            DataReference("#" + id, [.exclusive], digest, mimeType)
        }

        /// A `ds:Object` of the signature with this id; `digest` is that of `EnvelopedObject`.
        package static func object(id: String, _ digest: Digest, mimeType: String? = nil) -> DataReference {
            DataReference("#" + id, [.exclusive], digest, mimeType)
        }

        /// Something outside, by a name that the verifier understands; `digest` is over its octets.
        package static func detached(_ uri: String, _ digest: Digest, mimeType: String? = nil) -> DataReference {
            DataReference(uri, [], digest, mimeType)
        }
    }

    package let references: [DataReference]
    /// The end-entity certificate, DER.
    package let certificate: [UInt8]
    package let algorithm: SignatureAlgorithm
    /// Cut to whole seconds.
    package let signingTime: Instant
    private let signingTimeText: String
    /// The stem of all ids: the same for the same inputs, `nonce` among them, and different for others.
    private let id: String

    /// A signature over one to sixteen `references`, `signingTime` cut to whole seconds.
    ///
    /// Throws `.timeOutOfRange`, and `.referencesNotOfForm` for another number of them, or words in them that XML cannot
    /// hold.
    package init(
        references: [DataReference], certificate: [UInt8], signingTime: Instant, algorithm: SignatureAlgorithm,
        nonce: [UInt8] = []
    ) throws(FormatError) {
        guard (1...16).contains(references.count), references.allSatisfy(\.isWritable) else {
            throw .referencesNotOfForm
        }
        guard let text = signingTime.xmlDateTime else { throw .timeOutOfRange }
        self.references = references
        self.certificate = certificate
        self.algorithm = algorithm
        self.signingTime = signingTime.wholeSecond
        signingTimeText = text
        id = Self.stem(references, certificate, signingTime.wholeSecond, nonce)
    }

    /// The canonical `SignedInfo` (exclusive Canonical XML 1.0), UTF-8: what the key signs.
    package var bytesToSign: [UInt8] { Array(signedInfo(apex: " xmlns:ds=\"\(Namespaces.ds)\"").utf8) }

    /// The whole `Signature` element, UTF-8, with `value` as raw octets (RFC 8017) or r‖s (RFC 6931 §2.3.6).
    ///
    /// `object` is what an enveloping signature holds; where it is left out, the place for it is behind `KeyInfo`.
    package func assemble(value: [UInt8], object: EnvelopedObject? = nil) -> [UInt8] {
        Array(
            """
            <ds:Signature xmlns:ds="\(Namespaces.ds)" Id="\(id)">\(signedInfo(apex: ""))\
            <ds:SignatureValue Id="\(id)-SignatureValue">\(Base64.encode(value))</ds:SignatureValue>\
            <ds:KeyInfo><ds:X509Data><ds:X509Certificate>\(Base64.encode(certificate))</ds:X509Certificate>\
            </ds:X509Data></ds:KeyInfo>\(object?.element(apex: "") ?? "")<ds:Object>\
            <xades:QualifyingProperties xmlns:xades="\(Namespaces.xades)" Target="#\(id)">\
            \(signedProperties(apex: "", inner: ""))</xades:QualifyingProperties></ds:Object></ds:Signature>
            """.utf8)
    }

    // MARK: Parts

    private func signedInfo(apex: String) -> String {
        let properties = Array(
            signedProperties(
                apex: " xmlns:xades=\"\(Namespaces.xades)\"", inner: " xmlns:ds=\"\(Namespaces.ds)\""
            ).utf8)
        return """
            <ds:SignedInfo\(apex)>\
            <ds:CanonicalizationMethod Algorithm="\(Namespaces.exclusive)"></ds:CanonicalizationMethod>\
            <ds:SignatureMethod Algorithm="\(algorithm.xmlIdentifier)"></ds:SignatureMethod>\
            \(references.enumerated().map(reference).joined())\
            <ds:Reference Type="\(Namespaces.signedPropertiesType)" URI="#\(id)-SignedProperties">\
            \(transforms([.exclusive]))\(digest(Digest(of: properties), inner: ""))</ds:Reference></ds:SignedInfo>
            """
    }

    private func reference(_ number: Int, _ reference: DataReference) -> String {
        """
        <ds:Reference Id="\(id)-Reference\(number + 1)" URI="\(XMLText.escapeAttribute(reference.uri))">\
        \(transforms(reference.transforms))\(digest(reference.digest, inner: ""))</ds:Reference>
        """
    }

    private func transforms(_ transforms: [DataReference.Transform]) -> String {
        guard !transforms.isEmpty else { return "" }
        let each = transforms.map { transform in
            let name =
                switch transform {
                case .enveloped: Namespaces.envelopedSignature
                case .exclusive: Namespaces.exclusive
                }
            return "<ds:Transform Algorithm=\"\(name)\"></ds:Transform>"
        }
        return "<ds:Transforms>\(each.joined())</ds:Transforms>"
    }

    private func digest(_ digest: Digest, inner: String) -> String {
        """
        <ds:DigestMethod\(inner) Algorithm="\(digest.algorithm.xmlIdentifier)"></ds:DigestMethod>\
        <ds:DigestValue\(inner)>\(Base64.encode(digest.bytes))</ds:DigestValue>
        """
    }

    /// `inner` stands on each element of the signature namespace: exclusive canonicalisation declares a prefix where it is
    /// first used, which is below the apex here.
    private func signedProperties(apex: String, inner: String) -> String {
        """
        <xades:SignedProperties\(apex) Id="\(id)-SignedProperties"><xades:SignedSignatureProperties>\
        <xades:SigningTime>\(signingTimeText)</xades:SigningTime><xades:SigningCertificateV2><xades:Cert>\
        <xades:CertDigest>\(digest(Digest(of: certificate), inner: inner))</xades:CertDigest></xades:Cert>\
        </xades:SigningCertificateV2></xades:SignedSignatureProperties>\(formats)</xades:SignedProperties>
        """
    }

    private var formats: String {
        let each = references.enumerated().compactMap { number, reference in
            reference.mimeType.map { type in
                """
                <xades:DataObjectFormat ObjectReference="#\(id)-Reference\(number + 1)">\
                <xades:MimeType>\(XMLText.escape(type))</xades:MimeType></xades:DataObjectFormat>
                """
            }
        }
        guard !each.isEmpty else { return "" }
        return "<xades:SignedDataObjectProperties>\(each.joined())</xades:SignedDataObjectProperties>"
    }

    private static func stem(
        _ references: [DataReference], _ certificate: [UInt8], _ time: Instant, _ nonce: [UInt8]
    ) -> String {
        var writer = WireWriter()
        for reference in references {
            writer.text(reference.uri)
            writer.data(reference.digest.bytes)
        }
        writer.raw(Digest(of: certificate).bytes)
        writer.integer(time.milliseconds)
        writer.data(nonce)
        return "id" + Hex.encode(Array(Digest(of: writer.bytes).bytes.prefix(8)))
    }
}

extension DigestAlgorithm {
    /// The identifier in `DigestMethod` (xmlenc-core1 §5.8, RFC 6931 §2.1).
    fileprivate var xmlIdentifier: String {
        switch self {
        case .sha256: Namespaces.sha256
        case .sha384: "http://www.w3.org/2001/04/xmldsig-more#sha384"
        case .sha512: "http://www.w3.org/2001/04/xmlenc#sha512"
        }
    }
}

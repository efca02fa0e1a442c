internal import Certificates
internal import HPKI
package import XML

/// A XAdES signature in its document, to which unsigned properties are added (ETSI EN 319 132-1 §5.3 to §5.5 as
/// recalled).
///
/// Everything is put between two bytes of the document as it is, so what was signed stays what it was. A level is a
/// matter of which properties are there.
package struct XAdESAugmentation: Sendable {
    private let document: XMLDocument
    private let signature: XMLElement
    private let qualifying: XMLElement

    /// Takes a signature of `document`; throws `.notXAdES` where it has no value or not one `QualifyingProperties`.
    package init(_ document: XMLDocument, signature: XMLElement) throws(FormatError) {
        let found = signature.children("Object", Namespaces.ds).flatMap {
            $0.children("QualifyingProperties", Namespaces.xades)
        }
        guard found.count == 1, let qualifying = found.first,
            signature.children("SignatureValue", Namespaces.ds).count == 1
        else { throw .notXAdES }
        self.document = document
        self.signature = signature
        self.qualifying = qualifying
    }

    // MARK: What is there

    /// The unsigned signature properties in their order.
    package var properties: [XMLElement] { container?.children ?? [] }

    /// Whether a signature time stamp is there.
    package var hasTimeStamp: Bool { properties.contains { $0.isNamed("SignatureTimeStamp", Namespaces.xades) } }

    /// Whether certificates and revocation data of the signer's path are there.
    package var hasValidationMaterial: Bool {
        ["CertificateValues", "RevocationValues"].allSatisfy { name in
            properties.contains { $0.isNamed(name, Namespaces.xades) }
        }
    }

    /// The time-stamp tokens of these properties, in DER, with the id of the property that holds each.
    package var timeStamps: [(id: String?, token: [UInt8])] {
        properties.compactMap { property in
            guard
                property.isNamed("SignatureTimeStamp", Namespaces.xades)
                    || property.isNamed("ArchiveTimeStamp", Namespaces.xades141),
                let holder = property.firstChild("EncapsulatedTimeStamp", Namespaces.xades),
                let token = Base64.decodeIgnoringWhiteSpace(holder.textBytes)
            else { return nil }
            return (property.attribute("Id"), token)
        }
    }

    /// The ids of the time stamps whose validation data is there already.
    package var timeStampsWithMaterial: Set<String> {
        Set(
            properties.compactMap { property in
                guard property.isNamed("TimeStampValidationData", Namespaces.xades141),
                    let uri = property.attribute("URI"), uri.utf8.first == UInt8(ascii: "#")
                else { return nil }
                return String(decoding: uri.utf8.dropFirst(), as: UTF8.self)
            })
    }

    // MARK: What is added

    /// What a signature time stamp is over: the exclusive canonical form of `SignatureValue` (§5.3).
    package var timeStampOctets: [UInt8] {
        signature.firstChild("SignatureValue", Namespaces.ds).map { Canonicalization.exclusive10.canonicalize($0) }
            ?? []
    }

    /// The document with a signature time stamp; level B-T.
    package func adding(signatureTimeStamp token: [UInt8]) -> [UInt8] {
        adding(Self.timeStamp("xades:SignatureTimeStamp xmlns:xades=\"\(Namespaces.xades)\"", token))
    }

    /// The document with an archive time stamp, which must be over what `Validation` says it covers; level B-LTA.
    package func adding(archiveTimeStamp token: [UInt8]) -> [UInt8] {
        adding(
            Self.timeStamp(
                "xades141:ArchiveTimeStamp xmlns:xades141=\"\(Namespaces.xades141)\" xmlns:xades=\"\(Namespaces.xades)\"",
                token))
    }

    /// The document with what a verifier of the signer's path needs; level B-LT (§5.4.1, §5.4.2).
    package func adding(_ material: ValidationMaterial) -> [UInt8] {
        adding(
            Self.values(material).map { name, inner in
                "<xades:\(name) xmlns:xades=\"\(Namespaces.xades)\">\(inner)</xades:\(name)>"
            }.joined())
    }

    /// The document with what a verifier of the time stamp with this `id` needs (§5.5.1).
    package func adding(_ material: ValidationMaterial, ofTimeStamp id: String?) -> [UInt8] {
        let about = id.map { " URI=\"#\(XMLText.escapeAttribute($0))\"" } ?? ""
        let inner = Self.values(material).map { "<xades:\($0)>\($1)</xades:\($0)>" }.joined()
        return adding(
            """
            <xades141:TimeStampValidationData xmlns:xades141="\(Namespaces.xades141)" xmlns:xades="\(Namespaces.xades)"\
            \(about)>\(inner)</xades141:TimeStampValidationData>
            """)
    }

    // MARK: Parts

    private var unsigned: XMLElement? { qualifying.firstChild("UnsignedProperties", Namespaces.xades) }
    private var container: XMLElement? { unsigned?.firstChild("UnsignedSignatureProperties", Namespaces.xades) }

    /// Puts `text` behind the last unsigned signature property, with the elements around it where they are missing.
    private func adding(_ text: String) -> [UInt8] {
        let name = "xades:UnsignedSignatureProperties"
        if let container { return inserting(text, atEndOf: container) }
        let inner = "<\(name) xmlns:xades=\"\(Namespaces.xades)\">\(text)</\(name)>"
        if let unsigned { return inserting(inner, atStartOf: unsigned) }
        let outer = "xades:UnsignedProperties"
        return inserting("<\(outer) xmlns:xades=\"\(Namespaces.xades)\">\(inner)</\(outer)>", atEndOf: qualifying)
    }

    private func inserting(_ text: String, atEndOf element: XMLElement) -> [UInt8] {
        element.isSelfClosing
            ? document.opening(element, around: text)
            : document.inserting(Array(text.utf8), at: element.contentRange.upperBound)
    }

    private func inserting(_ text: String, atStartOf element: XMLElement) -> [UInt8] {
        element.isSelfClosing
            ? document.opening(element, around: text)
            : document.inserting(Array(text.utf8), at: element.contentRange.lowerBound)
    }

    /// A property that holds a token; `head` is its tag's name with namespaces.
    ///
    /// The id follows from the token, so no two are the same.
    private static func timeStamp(_ head: String, _ token: [UInt8]) -> String {
        let name = head.prefix { $0 != " " }
        let id = "ts" + Hex.encode(Array(Digest(of: token).bytes.prefix(8)))
        return """
            <\(head) Id="\(id)"><ds:CanonicalizationMethod xmlns:ds="\(Namespaces.ds)"\
             Algorithm="\(Namespaces.exclusive)"></ds:CanonicalizationMethod>\
            <xades:EncapsulatedTimeStamp>\(Base64.encode(token))</xades:EncapsulatedTimeStamp></\(name)>
            """
    }

    private static func values(_ material: ValidationMaterial) -> [(name: String, inner: String)] {
        func each(_ name: String, _ list: [[UInt8]]) -> String {
            list.map { "<xades:\(name)>\(Base64.encode($0))</xades:\(name)>" }.joined()
        }
        func group(_ name: String, _ inner: String) -> String {
            inner.isEmpty ? "" : "<xades:\(name)>\(inner)</xades:\(name)>"
        }
        return [
            ("CertificateValues", each("EncapsulatedX509Certificate", material.certificates)),
            (
                "RevocationValues",
                group("CRLValues", each("EncapsulatedCRLValue", material.crls))
                    + group("OCSPValues", each("EncapsulatedOCSPValue", material.ocspResponses))
            ),
        ].filter { !$0.1.isEmpty }
    }
}

extension XMLDocument {
    /// The document with `insertion` between two of its bytes.
    package func inserting(_ insertion: [UInt8], at place: Int) -> [UInt8] {
        Array(bytes[..<place]) + insertion + bytes[place...]
    }

    /// The document with a self-closing `element` opened around `text`, which changes no canonical form but by the text.
    package func opening(_ element: XMLElement, around text: String) -> [UInt8] {
        let tag = bytes[element.byteRange]
        let name = tag.dropFirst().prefix { ![0x20, 0x09, 0x0A, 0x0D, 0x2F, 0x3E].contains($0) }
        let inside = [UInt8(ascii: ">")] + Array(text.utf8) + Array("</".utf8) + name + [UInt8(ascii: ">")]
        return Array(bytes[..<(element.byteRange.upperBound - 2)]) + inside + bytes[element.byteRange.upperBound...]
    }
}

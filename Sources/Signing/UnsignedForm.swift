internal import Formats
internal import HPKI
internal import XML

/// A prescription's XML as its sender wrote it, and the place where its signature goes.
///
/// Its bytes are kept as they came, a byte order mark included; the signature is put between two of them.
enum UnsignedForm {
    static func read(_ bytes: [UInt8], limits: SigningLimits) throws(Failure) -> (UnsignedDocument, Digest) {
        let document = try XMLDocument.received(bytes, limits)
        guard document.signatures.isEmpty else {
            throw Failure(.alreadySigned, "The document holds a signature already.")
        }
        let prescription = try prescription(in: document)
        for child in prescription.children {
            guard parts.contains(where: { child.isNamed($0, "") && prescription.children($0, "").count == 1 }) else {
                throw Failure(.wrongDocument, "The element Prescription holds an element that its form does not have.")
            }
        }
        guard prescription.firstChild("PrescriptionManagement", "") != nil,
            let data = prescription.firstChild("PrescriptionDocument", ""),
            document.element(id: "PrescriptionDocument") == data
        else {
            throw Failure(
                .wrongDocument,
                "The prescription must have PrescriptionManagement, and PrescriptionDocument with this word as its id."
            )
        }
        // The validator would call such text unsigned, and the pharmacist would have to acknowledge it.
        let holders = [document.root, prescription] + prescription.children.filter { $0 != data }
        guard !holders.contains(where: \.hasText) else {
            throw Failure(.wrongDocument, "Text stands beside PrescriptionDocument, where no signature covers it.")
        }
        try prescription.mustDeclareOnlyXSI(data: data)
        try prescription.mustLeaveIDsOfSignatures()
        guard !bytes[data.contentRange].contains(UInt8(ascii: "<")),
            let csv = Base64.decodeIgnoringWhiteSpace(data.textBytes)
        else { throw Failure(.invalidBase64, "The content of PrescriptionDocument is not Base64.") }
        _ = try Records(prescription: csv, limits: limits)
        let digest = Digest(of: Canonicalization.inclusive10.canonicalize(data))
        return (try split(bytes, prescription), digest)
    }

    private static let parts = [
        "PrescriptionManagement", "PrescriptionDocument", "AdditionalPrescriptionInformation", "PrescriptionSign",
    ]

    private static func prescription(in document: XMLDocument) throws(Failure) -> XMLElement {
        let root = document.root
        guard root.isNamed("Document", ""), root.children.count == 1,
            let prescription = root.firstChild("Prescription", ""), !prescription.isSelfClosing
        else { throw Failure(.wrongDocument, "The document must be a Document with one Prescription.") }
        if let id = root.attribute("id"), id != "Document" {
            throw Failure(.wrongDocument, "The id of Document must be Document.")
        }
        if let reserved = ["PrescriptionSign", "Dispensing", "DispensingSign", "DispensingDocument"].first(where: {
            document.element(id: $0) != nil
        }) {
            throw Failure(.wrongDocument, "The id \(reserved) is kept for what is made of the prescription.")
        }
        return prescription
    }

    private static func split(_ bytes: [UInt8], _ prescription: XMLElement) throws(Failure) -> UnsignedDocument {
        guard let sign = prescription.firstChild("PrescriptionSign", "") else {
            let place = prescription.contentRange.upperBound
            return UnsignedDocument(
                form: .prescription, head: bytes[..<place] + Array("<PrescriptionSign>".utf8),
                tail: Array("</PrescriptionSign>".utf8) + bytes[place...]
            )
        }
        guard sign.contentRange.isEmpty, sign.attributes.isEmpty, sign.byteRange.count <= 64 else {
            throw Failure(.wrongDocument, "The element PrescriptionSign must be empty and without attributes.")
        }
        return UnsignedDocument(
            form: .prescription,
            head: bytes[..<sign.byteRange.lowerBound] + Array("<PrescriptionSign>".utf8),
            tail: Array("</PrescriptionSign>".utf8) + bytes[sign.byteRange.upperBound...]
        )
    }
}

extension XMLDocument {
    /// Reads a document of a request; what the reader refuses is the sender's fault.
    static func received(_ bytes: [UInt8], _ limits: SigningLimits) throws(Failure) -> XMLDocument {
        guard bytes.count <= limits.documentBytes else {
            throw Failure(.tooLarge, "The document is longer than \(limits.documentBytes) bytes.")
        }
        do {
            return try XMLDocument(parsing: bytes, limits: limits.ofRequests)
        } catch {
            throw Failure(.invalidXML, "The document is refused by the XML reader: \(error).")
        }
    }
}

extension XMLElement {
    /// Ids in a signature made here can be foretold, so none of their shape may stand in the document already.
    ///
    /// It would be found only behind the use of the key. Those within PrescriptionSign are the prescriber's own.
    func mustLeaveIDsOfSignatures() throws(Failure) {
        let outside = children.flatMap { $0.isNamed("PrescriptionSign", "") ? [$0] : [$0] + $0.descendants }
        for element in [document.root, self] + outside where element.attributes.contains(where: \.isIDOfSignature) {
            throw Failure(.wrongDocument, "Ids such as id0123456789abcdef-KeyInfo are kept for signatures.")
        }
    }

    /// Inclusive canonicalisation writes the namespaces in scope, and the attributes `xml:…` of the elements around,
    /// on the signed element: whatever stands around a prescription besides `xmlns:xsi` would break its signature when
    /// the prescription moves into a dispensing result.
    func mustDeclareOnlyXSI(data: XMLElement) throws(Failure) {
        for element in [self, data] where element.namespacesInScope != ["xsi": Namespaces.xsi] {
            throw Failure(
                .foreignNamespace, "Where the signed element stands, xmlns:xsi and no other namespace must be in scope."
            )
        }
        var around: XMLElement? = self
        while let element = around {
            guard !element.attributes.contains(where: { $0.prefix == "xml" }) else {
                throw Failure(
                    .foreignNamespace, "No attribute of the namespace xml may stand around the signed element.")
            }
            around = element.parent
        }
    }
}

extension XMLAttribute {
    /// Whether an id as `PrescriptionSignature` gives to its parts: `id`, 16 hexadecimal digits, `-` and a name.
    var isIDOfSignature: Bool { idStemEnd.map { $0 == UInt8(ascii: "-") } ?? false }

    /// Whether an id as `XAdESSignature` gives to itself or its parts: the stem alone too.
    var isIDOfAnySignature: Bool { idStemEnd.map { [UInt8(ascii: "-"), UInt8(ascii: " "), 0].contains($0) } ?? false }

    /// What stands behind `id` and 16 hexadecimal digits, 0 for nothing; nil for anything else.
    private var idStemEnd: UInt8? {
        guard ["Id", "id", "ID"].contains(localName), prefix.isEmpty || prefix == "xml" else { return nil }
        // White space around the value of xml:id is not part of it.
        let bytes = value.utf8.drop { $0 == UInt8(ascii: " ") }
        guard bytes.starts(with: "id".utf8) else { return nil }
        let rest = bytes.dropFirst(2)
        let digits = rest.prefix(16).count { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        return digits == 16 ? rest.dropFirst(16).first ?? 0 : nil
    }
}

package import HPKI

/// An unsigned document with the place where its signature element goes.
package struct UnsignedDocument: Sendable, Hashable {
    package let form: DocumentForm
    /// The document up to the signature element, UTF-8; ends with the opening tag that holds it.
    package let head: [UInt8]
    /// The document from behind the signature element on.
    package let tail: [UInt8]

    /// A document cut in two.
    package init(form: DocumentForm, head: [UInt8], tail: [UInt8]) {
        self.form = form
        self.head = head
        self.tail = tail
    }

    /// The document with an empty place for the signature: what the data element is digested in.
    package var unsigned: [UInt8] { head + tail }

    /// The document with `signature` in its place.
    package func signed(with signature: [UInt8]) -> [UInt8] { head + signature + tail }
}

/// The documents that Shirushi builds itself, without white space between elements as in the field.
package enum DocumentTemplate {
    /// A prescription around its CSV (UTF-8, LF, first line `SJ1`; checked by the caller).
    package static func prescription(csv: [UInt8]) -> UnsignedDocument {
        UnsignedDocument(
            form: .prescription,
            head: Array(
                (opening(schema: "EP.xsd") + "<Prescription>"
                    + "<PrescriptionManagement id=\"PrescriptionManagement\"><Version Value=\"EPS1.0\"/>"
                    + "</PrescriptionManagement><PrescriptionDocument id=\"PrescriptionDocument\">"
                    + Base64.encode(csv) + "</PrescriptionDocument><PrescriptionSign>").utf8
            ),
            tail: Array("</PrescriptionSign></Prescription></Document>".utf8)
        )
    }

    /// A dispensing result around the prescription's content, byte for byte, and its CSV (first line `CJ1,`).
    package static func dispensing(prescriptionContent: some Sequence<UInt8>, csv: [UInt8]) -> UnsignedDocument {
        let head =
            Array(
                (opening(schema: "ED.xsd") + "<DispensingManagement id=\"DispensingManagement\">"
                    + "<Version Value=\"EPD1.0\"/></DispensingManagement>"
                    + "<Dispensing id=\"Dispensing\"><ReferencePrescription>").utf8
            ) + Array(prescriptionContent)
            + Array(
                ("</ReferencePrescription><DispensingDocument id=\"DispensingDocument\">" + Base64.encode(csv)
                    + "</DispensingDocument></Dispensing><DispensingSign>").utf8
            )
        return UnsignedDocument(form: .dispensing, head: head, tail: Array("</DispensingSign></Document>".utf8))
    }

    /// The declaration and root: `xmlns:xsi` and no other namespace, since any more would break the signature of a
    /// prescription carried inside.
    private static func opening(schema: String) -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns:xsi=\"\(Namespaces.xsi)\" id=\"Document\""
            + " xsi:noNamespaceSchemaLocation=\"\(schema)\">"
    }
}

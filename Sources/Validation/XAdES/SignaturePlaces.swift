internal import Formats
internal import XML

/// One signature of a known form with the one element that it must cover.
struct SignaturePlace {
    let kind: SignatureReport.Kind
    let signature: XMLElement
    let data: XMLElement
    /// The value of `URI` that refers to `data`.
    let uri: String
}

/// The signatures of a prescription or dispensing result, found by path and never by search.
///
/// Every element on the way must be there exactly once, so that no second one can be shown in place of the one judged.
struct SignaturePlaces {
    let places: [SignaturePlace]
    /// Elements and text outside everything signed that the form does not know.
    let findings: [Finding]

    /// Whether a document is a prescription or dispensing result, or is to be taken for one, and so is judged by the
    /// form alone: what has any of its marks is never judged as a document of another kind.
    static func isForm(_ document: XMLDocument) -> Bool {
        let root = document.root
        let hasPart = root.children.contains { part in roots.contains { part.isNamed($0, "") } }
        if hasPart, root.isNamed("Document", "") { return true }
        return ([root] + root.descendants).contains { element in marks.contains { element.isNamed($0, "") } }
    }

    private static let roots = ["Prescription", "Dispensing"]
    private static let marks = ["PrescriptionDocument", "PrescriptionSign", "DispensingDocument", "DispensingSign"]

    init(in document: XMLDocument) throws(Finding) {
        let root = document.root
        guard root.isNamed("Document", "") else {
            throw .format("not-an-e-prescription", "The root is not an e-prescription's Document.")
        }
        if root.firstChild("Prescription", "") != nil {
            let prescription = try root.only("Prescription")
            places = [try Self.prescription(in: prescription, .prescription)]
            findings =
                Self.strangers(in: root, known: ["Prescription"]) + Self.strangers(in: prescription, known: Self.parts)
                + Self.strayText(in: [root, prescription] + prescription.children)
        } else {
            let dispensing = try root.only("Dispensing")
            let reference = try dispensing.only("ReferencePrescription")
            try dispensing.only("DispensingDocument").mustBePlainText()
            places = [
                try Self.prescription(in: reference, .embeddedPrescription),
                SignaturePlace(
                    kind: .dispensing, signature: try Self.signature(in: try root.only("DispensingSign")),
                    data: dispensing, uri: "#Dispensing"
                ),
            ]
            findings =
                Self.strangers(
                    in: root,
                    known: ["DispensingManagement", "Dispensing", "AdditionalDispensedInformation", "DispensingSign"]
                ) + Self.strayText(in: [root] + root.children)
        }
        try refuseOtherSignatures(in: root)
    }

    private static let parts = [
        "PrescriptionManagement", "PrescriptionDocument", "AdditionalPrescriptionInformation", "PrescriptionSign",
    ]

    private static func prescription(
        in holder: XMLElement, _ kind: SignatureReport.Kind
    ) throws(Finding) -> SignaturePlace {
        for name in parts where holder.children(name, "").count > 1 {
            throw .format("repeated-element", "The element \(name) stands more than once.")
        }
        let data = try holder.only("PrescriptionDocument")
        try data.mustBePlainText()
        return SignaturePlace(
            kind: kind, signature: try signature(in: try holder.only("PrescriptionSign")), data: data,
            uri: "#PrescriptionDocument"
        )
    }

    private static func signature(in sign: XMLElement) throws(Finding) -> XMLElement {
        guard sign.children.count == 1, let signature = sign.firstChild("Signature", Namespaces.ds) else {
            throw .format("no-signature", "The place of the signature does not hold exactly one signature.")
        }
        return signature
    }

    private static func strangers(in parent: XMLElement, known: [String]) -> [Finding] {
        for child in parent.children where !known.contains(where: { child.isNamed($0, "") }) {
            return [
                .unknown(
                    .signatureConstraintsFailure, "unknown-unsigned-element",
                    "The document has an unsigned element that the form does not know."
                )
            ]
        }
        return []
    }

    /// Text, in CDATA or not, that nothing signs, directly in an element that holds elements alone.
    ///
    /// The data element, whose text is signed, is passed over.
    private static func strayText(in holders: [XMLElement]) -> [Finding] {
        for holder in holders where !holder.isNamed("PrescriptionDocument", "") && !holder.isNamed("Dispensing", "") {
            guard !holder.hasText else {
                return [
                    .unknown(
                        .signatureConstraintsFailure, "unsigned-text",
                        "The document has unsigned text where its form has elements alone."
                    )
                ]
            }
        }
        return []
    }

    /// A signature elsewhere, such as a counter-signature, would go unjudged.
    private func refuseOtherSignatures(in root: XMLElement) throws(Finding) {
        let count = root.descendants.count { $0.isNamed("Signature", Namespaces.ds) }
        guard count == places.count else {
            throw .format("unexpected-signature", "The document has a signature outside the places of its form.")
        }
    }
}

extension XMLElement {
    /// The one child of this name in no namespace.
    func only(_ name: String, _ namespace: String = "") throws(Finding) -> XMLElement {
        let found = children(name, namespace)
        guard found.count == 1, let element = found.first else {
            throw found.isEmpty
                ? .format("missing-element", "The element \(name) is missing.")
                : .format("repeated-element", "The element \(name) stands more than once.")
        }
        return element
    }

    /// A comment inside Base64 is not part of the canonical form, and readers differ on what they read around it.
    func mustBePlainText() throws(Finding) {
        guard !document.bytes[contentRange].contains(UInt8(ascii: "<")) else {
            throw .format("data-not-plain-text", "The element \(localName) holds markup within its Base64.")
        }
    }
}

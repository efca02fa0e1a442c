import HPKI
import Testing
import Validation
import XML

/// The eight classic ways to keep a signed element and show another one.
@Suite struct WrappingTests {
    let world: World
    let validator: SignatureValidator

    init() throws {
        world = try World.shared.get()
        validator = try world.validator()
    }

    @Test(arguments: 1...8, [DocumentForm.prescription, .dispensing])
    func `wrapping is refused`(number: Int, form: DocumentForm) throws {
        let signed = form == .prescription ? try world.prescription() : try world.dispensing()
        let document = try XMLDocument(parsing: signed)
        let id = form == .prescription ? "PrescriptionDocument" : "Dispensing"
        let element = try #require(document.element(id: id))
        let original = String(decoding: signed[element.byteRange], as: UTF8.self)
        let shown =
            form == .prescription
            ? "<PrescriptionDocument>U0oxCg==</PrescriptionDocument>"
            : "<Dispensing><ReferencePrescription><PrescriptionDocument>U0oxCg==</PrescriptionDocument>"
                + "<PrescriptionSign/></ReferencePrescription><DispensingDocument>Q0oxLAo=</DispensingDocument></Dispensing>"
        let text = signed.text
        let sign = form == .prescription ? "PrescriptionSign" : "DispensingSign"
        let wrapped =
            switch number {
            case 1: text.replacing(original, with: shown + original)
            case 2: text.replacing(original, with: original + shown)
            case 3: text.replacing(original, with: shown).replacing("</Document>", with: original + "</Document>")
            case 4: text.replacing(original, with: shown.replacing("<\(id)>", with: "<\(id)>" + original))
            case 5:
                text.replacing(original, with: shown).replacing(
                    "</xs:Signature></\(sign)>", with: "<xs:Object>\(original)</xs:Object></xs:Signature></\(sign)>")
            case 6:
                text.replacing(original, with: shown).replacing(
                    "</xa:QualifyingProperties></xs:Object></xs:Signature></\(sign)>",
                    with: "<xa:UnsignedProperties>\(original)</xa:UnsignedProperties></xa:QualifyingProperties>"
                        + "</xs:Object></xs:Signature></\(sign)>")
            case 7: text.replacing(original, with: shown + "<Old>\(original)</Old>")
            default: text.replacing(original, with: shown.replacing("<\(id)>", with: "<\(id) id=\"\(id)\">") + original)
            }
        #expect(wrapped != text)
        let report = validator.judge(Array(wrapped.utf8), at: World.now)
        #expect(report.result == .failed && !report.reasons.isEmpty, "\(report.reasons)")
    }
}

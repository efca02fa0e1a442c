import HPKI
import Testing
import Validation
import XML

/// The eight classic ways to keep a signed element and show another one.
enum Wrapping: String, CaseIterable, Sendable {
    case shownBefore = "another element is shown before the signed one"
    case shownBehind = "another element is shown behind the signed one"
    case movedToTheEnd = "the signed element is moved to the end of the document"
    case movedIntoTheShown = "the signed element is moved into the one that is shown"
    case movedIntoAnObject = "the signed element is moved into an Object of the signature"
    case movedIntoUnsignedProperties = "the signed element is moved into the unsigned properties"
    case movedIntoAStranger = "the signed element is moved into an element that the form does not know"
    case shownUnderTheSameID = "another element is shown under the id of the signed one"
}

@Suite struct WrappingTests {
    let world: World
    let validator: SignatureValidator

    init() throws {
        world = try World.shared.get()
        validator = try world.validator()
    }

    private func wrapped(_ text: String, _ original: String, _ wrapping: Wrapping, _ form: DocumentForm) -> String {
        let id = form == .prescription ? "PrescriptionDocument" : "Dispensing"
        let sign = form == .prescription ? "PrescriptionSign" : "DispensingSign"
        let shown =
            form == .prescription
            ? "<PrescriptionDocument>U0oxCg==</PrescriptionDocument>"
            : "<Dispensing><ReferencePrescription><PrescriptionDocument>U0oxCg==</PrescriptionDocument>"
                + "<PrescriptionSign/></ReferencePrescription><DispensingDocument>Q0oxLAo=</DispensingDocument></Dispensing>"
        let replaced = text.replacing(original, with: shown)
        switch wrapping {
        case .shownBefore: return text.replacing(original, with: shown + original)
        case .shownBehind: return text.replacing(original, with: original + shown)
        case .movedToTheEnd: return replaced.replacing("</Document>", with: original + "</Document>")
        case .movedIntoTheShown:
            return text.replacing(original, with: shown.replacing("<\(id)>", with: "<\(id)>" + original))
        case .movedIntoAnObject:
            return replaced.replacing(
                "</xs:Signature></\(sign)>", with: "<xs:Object>\(original)</xs:Object></xs:Signature></\(sign)>")
        case .movedIntoUnsignedProperties:
            return replaced.replacing(
                "</xa:QualifyingProperties></xs:Object></xs:Signature></\(sign)>",
                with: "<xa:UnsignedProperties>\(original)</xa:UnsignedProperties></xa:QualifyingProperties>"
                    + "</xs:Object></xs:Signature></\(sign)>")
        case .movedIntoAStranger: return text.replacing(original, with: shown + "<Old>\(original)</Old>")
        case .shownUnderTheSameID:
            return text.replacing(
                original, with: shown.replacing("<\(id)>", with: "<\(id) id=\"\(id)\">") + original)
        }
    }

    @Test(arguments: Wrapping.allCases, [DocumentForm.prescription, .dispensing])
    func `wrapping is refused with a reason`(wrapping: Wrapping, form: DocumentForm) throws {
        let signed = form == .prescription ? try world.prescription() : try world.dispensing()
        let document = try XMLDocument(parsing: signed)
        let element = try #require(document.element(id: form == .prescription ? "PrescriptionDocument" : "Dispensing"))
        let original = String(decoding: signed[element.byteRange], as: UTF8.self)
        let text = wrapped(signed.text, original, wrapping, form)
        #expect(text != signed.text)
        let report = validator.judge(Array(text.utf8), at: World.now)
        #expect(report.result == .failed && !report.reasons.isEmpty, "\(wrapping.rawValue): \(report.reasons)")
    }

    /// With what the management service adds, there is more room to hide something in.
    @Test(arguments: Wrapping.allCases, [DocumentForm.prescription, .dispensing])
    func `wrapping of a time-stamped document is refused with a reason`(
        wrapping: Wrapping, form: DocumentForm
    ) throws {
        let service = try TimeStamping(world.pki)
        let plain = form == .prescription ? try world.prescription() : try world.dispensing()
        let signed = TimeStamping.adding(
            TimeStamping.revocationValues(crls: try service.lists(at: World.now)),
            to: try service.stamped(plain, at: World.now))
        let validator = try service.validator(at: World.now)
        #expect(validator.judge(signed, at: World.now).result == .passed)
        let document = try XMLDocument(parsing: signed)
        let element = try #require(document.element(id: form == .prescription ? "PrescriptionDocument" : "Dispensing"))
        let original = String(decoding: signed[element.byteRange], as: UTF8.self)
        var text = wrapped(signed.text, original, wrapping, form)
        if wrapping == .movedIntoUnsignedProperties {
            // The properties are there already: the element is put behind them.
            let shown = wrapped(signed.text, original, .shownBefore, form).replacing(original, with: "")
            text = TimeStamping.adding(original, to: Array(shown.utf8)).text
        }
        let report = validator.judge(Array(text.utf8), at: World.now)
        #expect(report.result == .failed && !report.reasons.isEmpty, "\(wrapping.rawValue): \(report.reasons)")
    }
}

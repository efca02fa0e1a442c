import HPKI
package import Validation
import XML

/// A signed document that passes, to be judged again with one byte changed.
package struct ByteFlips {
    /// The region of a change within what is signed that its canonical form does not have.
    package static let unchanged = "within what is signed, its canonical form unchanged"

    private let original: [UInt8]
    private let validator: SignatureValidator
    private let signed: [SignedPart]
    private let document: XMLDocument

    /// One element that a signature covers, in canonical form.
    private struct SignedPart: Hashable {
        let range: Range<Int>
        let canonical: [UInt8]
    }

    /// Takes a document that `validator` passes; throws where it does not pass, or its parts are not found.
    package init(_ original: [UInt8], judgedBy validator: SignatureValidator) throws(FuzzFinding) {
        self.original = original
        self.validator = validator
        let report = validator.judge(original, at: fuzzMoment)
        try promise(report.result == .passed, "the document does not pass: \(report.reasons)")
        // No report may say that it covers more than its element.
        try promise(report.signatures.allSatisfy { $0.coverage?.isWholeDocument == false }, "all of it is covered")
        guard let document = try? XMLDocument(parsing: original) else { throw FuzzFinding("not read") }
        self.document = document
        signed = Self.signed(in: document)
        try promise(signed.count == 4 * report.signatures.count, "\(signed.count) signed parts")
    }

    /// Judges the document with the byte at `offset` changed to `byte`.
    ///
    /// Nil where it does not pass. Where it does, the name of the region that no signature covers; throws where what a
    /// signature covers was changed, certificates included.
    package func regionThatPasses(at offset: Int, changedTo byte: UInt8) throws(FuzzFinding) -> String? {
        var bytes = original
        bytes[offset] = byte
        guard validator.judge(bytes, at: fuzzMoment).result == .passed else { return nil }
        guard let changed = try? XMLDocument(parsing: bytes) else { throw FuzzFinding("passed without being read") }
        let region = region(of: offset)
        try promise(
            Self.signed(in: changed).map(\.canonical) == signed.map(\.canonical),
            "byte \(offset) of \(region), changed to \(byte), passes although what was signed is another")
        let isCovered = signed.contains { $0.range.contains(offset) }
        return isCovered ? Self.unchanged : region
    }

    /// SignedInfo, KeyInfo and SignedProperties of every signature, and the data elements of the two forms.
    private static func signed(in document: XMLDocument) -> [SignedPart] {
        let names = ["SignedInfo", "KeyInfo", "SignedProperties"]
        return document.root.descendants.compactMap { element in
            let isData = ["PrescriptionDocument", "Dispensing"].contains(element.localName)
            guard isData || names.contains(element.localName) else { return nil }
            let method: Canonicalization = isData ? .inclusive10 : .exclusive10
            return SignedPart(range: element.byteRange, canonical: method.canonicalize(element))
        }
    }

    /// Where a byte stands: the path of local names of the innermost element, and the attribute, tag or text.
    private func region(of offset: Int) -> String {
        guard document.root.byteRange.contains(offset) else { return "outside the root" }
        let holders = ([document.root] + document.root.descendants).filter { $0.byteRange.contains(offset) }
        guard let innermost = holders.last else { return "nowhere" }
        let path = holders.map(\.localName).joined(separator: "/")
        if innermost.contentRange.contains(offset) { return path + " text" }
        guard offset < innermost.contentRange.lowerBound else { return path + " end tag" }
        // The last name before the byte that an equals sign follows.
        let before = original[innermost.byteRange.lowerBound..<offset]
        guard let equals = before.lastIndex(of: UInt8(ascii: "=")),
            before[equals...].count(where: { $0 == UInt8(ascii: "\"") }) < 2
        else { return path + " tag" }
        let name = before[..<equals].split(separator: UInt8(ascii: " ")).last ?? []
        return path + " @" + String(decoding: name, as: UTF8.self)
    }
}

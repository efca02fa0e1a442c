/// Why a document was refused, and where; it carries no text of the document, which may be a patient's.
package struct XMLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, in the order a reader meets it; the raw values are words for people.
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// A document type declaration, whatever stands in it.
        case doctypeRefused = "a document type declaration, which is refused"
        /// An encoding declaration other than UTF-8.
        case unsupportedEncoding = "an encoding other than UTF-8"
        /// A version other than 1.0.
        case unsupportedVersion = "a version other than 1.0"
        /// Two elements with one `Id`, `id`, `ID` or `xml:id`: the way of signature wrapping attacks.
        case duplicateID = "an id that another element has already"
        /// Two attributes or declarations of one name, or of one expanded name, on an element.
        case duplicateAttribute = "an attribute or declaration given twice"
        /// More than one of `XMLLimits` allows.
        case limitExceeded = "more than the limits allow"
        case malformedUTF8 = "malformed UTF-8"
        /// A character outside `Char` (XML 1.0 §2.2).
        case forbiddenCharacter = "a character that XML forbids"
        case malformedDeclaration = "a malformed declaration"
        case malformedMarkup = "malformed markup"
        case malformedName = "a malformed name"
        case malformedAttribute = "a malformed attribute"
        case malformedComment = "a malformed comment"
        case malformedProcessingInstruction = "a malformed processing instruction"
        case malformedReference = "a malformed reference"
        /// An entity reference other than the five predefined.
        case unknownEntity = "an unknown entity"
        case mismatchedTag = "an end tag that does not fit"
        case unexpectedEnd = "an unexpected end"
        case contentOutsideRoot = "content outside the document element"
        case missingRoot = "no document element"
        /// `]]>` in text (XML 1.0 §2.4).
        case sectionEndInText = "]]> in text"
        case undeclaredPrefix = "an undeclared prefix"
        /// A use of `xml`, `xmlns` or their URIs against Namespaces in XML 1.0 §3, or a prefix undeclared by "".
        case reservedNamespace = "a reserved prefix or namespace"
    }

    /// What is wrong.
    package let reason: Reason
    /// Bytes from the start of the input, a byte order mark included.
    package let offset: Int
    /// Lines from 1, by the line feeds before.
    package let line: Int
    /// Unicode scalars from 1 within the line.
    package let column: Int

    /// The reason and the place: safe to show and to log.
    package var description: String { "\(reason.rawValue) at line \(line), column \(column) (byte \(offset))" }

    init(_ reason: Reason, at offset: Int, in bytes: [UInt8]) {
        self.reason = reason
        self.offset = offset
        var line = 1
        var column = 1
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.line = line
        self.column = column
    }
}

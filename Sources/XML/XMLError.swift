/// Why a document was refused, and where; it carries no text of the document, which may be a patient's.
package struct XMLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, in the order a reader meets it.
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// A document type declaration, whatever stands in it.
        case doctypeRefused
        /// An encoding declaration other than UTF-8.
        case unsupportedEncoding
        /// A version other than 1.0.
        case unsupportedVersion
        /// Two elements with one `Id`, `id`, `ID` or `xml:id`: the way of signature wrapping attacks.
        case duplicateID
        /// Two attributes or declarations of one name, or of one expanded name, on an element.
        case duplicateAttribute
        /// More than one of `XMLLimits` allows.
        case limitExceeded
        case malformedUTF8
        /// A character outside `Char` (XML 1.0 §2.2).
        case forbiddenCharacter
        case malformedDeclaration
        case malformedMarkup
        case malformedName
        case malformedAttribute
        case malformedComment
        case malformedProcessingInstruction
        case malformedReference
        /// An entity reference other than the five predefined.
        case unknownEntity
        case mismatchedTag
        case unexpectedEnd
        case contentOutsideRoot
        case missingRoot
        /// `]]>` in text (XML 1.0 §2.4).
        case sectionEndInText
        case undeclaredPrefix
        /// A use of `xml`, `xmlns` or their URIs against Namespaces in XML 1.0 §3, or a prefix undeclared by "".
        case reservedNamespace
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

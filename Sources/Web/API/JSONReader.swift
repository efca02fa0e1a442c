package import HPKI

/// A value of a JSON object, as far as the bodies of this API know values.
package enum JSONValue: Sendable, Hashable {
    /// The string's UTF-8 with its escapes resolved; not yet validated as UTF-8.
    case string(ArraySlice<UInt8>)
    /// An array whose elements, if it has any, are all strings.
    case strings([ArraySlice<UInt8>])
    /// Any other array.
    case array([JSONValue])
    case object([String: JSONValue])
    /// Anything else, by the name of its type.
    case other(String)
}

/// Reads one JSON object from hostile bytes (RFC 8259): strict, bounded and total.
///
/// Written by hand because a body may be megabytes of Base64 that is best left where it lies, and because names that
/// come twice must be refused.
package struct JSONReader {
    private static let depthLimit = 8
    /// Of one object.
    private static let memberLimit = 32
    private static let nameLimit = 64
    /// Of one array.
    private static let elementLimit = 1024

    /// Values of the usual body, all objects and arrays together.
    package static let usualValues = 4096

    private let bytes: [UInt8]
    private var position = 0
    /// How many more values may come: each takes many times the three bytes that it may be written in.
    private var values: Int

    private init(_ bytes: [UInt8], values: Int) {
        self.bytes = bytes
        self.values = values
    }

    /// The members of the object that `bytes` are, of at most `values` values in all.
    ///
    /// Throws `.malformedRequest` naming the place of the first fault.
    package static func object(
        _ bytes: [UInt8], values: Int = JSONReader.usualValues
    ) throws(Failure) -> [String: JSONValue] {
        var reader = JSONReader(bytes, values: values)
        reader.skipWhiteSpace()
        guard reader.peek == UInt8(ascii: "{") else { throw reader.fault("the body must be one object") }
        let members = try reader.members(depth: 0)
        reader.skipWhiteSpace()
        guard reader.position == bytes.count else { throw reader.fault("something follows the object") }
        return members
    }

    /// The object whose brace stands here.
    private mutating func members(depth: Int) throws(Failure) -> [String: JSONValue] {
        position += 1
        var members: [String: JSONValue] = [:]
        skipWhiteSpace()
        if take("}") { return members }
        while true {
            skipWhiteSpace()
            guard let name = String(validating: try string(), as: UTF8.self), name.utf8.count <= Self.nameLimit else {
                throw fault("a name is not UTF-8 of at most \(Self.nameLimit) bytes")
            }
            skipWhiteSpace()
            guard take(":") else { throw fault("a colon is missing") }
            guard members.updateValue(try value(depth: depth + 1), forKey: name) == nil else {
                throw fault("a name comes twice")
            }
            guard members.count <= Self.memberLimit else { throw fault("there are too many members") }
            skipWhiteSpace()
            if take("}") { return members }
            guard take(",") else { throw fault("a comma or a closing brace is missing") }
        }
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        guard depth <= Self.depthLimit else { throw fault("the nesting is too deep") }
        values -= 1
        guard values >= 0 else { throw fault("there are too many values") }
        skipWhiteSpace()
        switch peek {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "{"): return .object(try members(depth: depth))
        case UInt8(ascii: "t"): return try literal("true", "a boolean")
        case UInt8(ascii: "f"): return try literal("false", "a boolean")
        case UInt8(ascii: "n"): return try literal("null", "null")
        default:
            try skipNumber()
            return .other("a number")
        }
    }

    private mutating func array(depth: Int) throws(Failure) -> JSONValue {
        position += 1
        var strings: [ArraySlice<UInt8>] = []
        // Filled only where something else than a string comes.
        var elements: [JSONValue] = []
        skipWhiteSpace()
        if take("]") { return .strings([]) }
        while true {
            let element = try value(depth: depth + 1)
            if elements.isEmpty, case .string(let text) = element {
                strings.append(text)
            } else {
                if elements.isEmpty { elements = strings.map { .string($0) } }
                elements.append(element)
            }
            guard max(strings.count, elements.count) <= Self.elementLimit else { throw fault("an array is too long") }
            skipWhiteSpace()
            if take("]") { return elements.isEmpty ? .strings(strings) : .array(elements) }
            guard take(",") else { throw fault("a comma or a closing bracket is missing") }
        }
    }

    // MARK: Tokens

    private mutating func string() throws(Failure) -> ArraySlice<UInt8> {
        guard take("\"") else { throw fault("a string must stand here") }
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return bytes[start..<position - 1]
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw fault("a control character stands in a string") }
            position += 1
        }
        throw fault("a string does not end")
    }

    private mutating func escapedString(from start: Int) throws(Failure) -> ArraySlice<UInt8> {
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return text[...]
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault("a control character stands in a string")
            default: text.append(byte)
            }
        }
        throw fault("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        guard let letter = peek else { throw fault("a string does not end") }
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var value = try hexadecimal()
            if (0xD800..<0xDC00).contains(value) {
                guard take("\\"), take("u") else { throw fault("half of a surrogate pair is missing") }
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw fault("half of a surrogate pair is missing") }
                value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(value) else { throw fault("half of a surrogate pair is missing") }
            text.append(contentsOf: String(scalar).utf8)
        default: throw fault("an escape is unknown")
        }
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = peek, let number = Character(Unicode.Scalar(digit)).hexDigitValue, digit < 0x80 else {
                throw fault("four hexadecimal digits must follow \\u")
            }
            value = value << 4 | UInt32(number)
            position += 1
        }
        return value
    }

    private mutating func literal(_ word: StaticString, _ kind: String) throws(Failure) -> JSONValue {
        for byte in String(describing: word).utf8 {
            guard peek == byte else { throw fault("a value must stand here") }
            position += 1
        }
        return .other(kind)
    }

    /// RFC 8259 §6.
    private mutating func skipNumber() throws(Failure) {
        _ = take("-")
        if take("0") {
            // No digit may follow a leading zero; one that does is found as a missing comma.
        } else {
            try skipDigits()
        }
        if take(".") { try skipDigits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(Failure) {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw fault("a value must stand here") }
    }

    private mutating func skipWhiteSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private func fault(_ what: String) -> Failure {
        Failure(.malformedRequest, "The body is not the JSON expected: at byte \(position), \(what).")
    }
}

/// Reads JSON as RFC 8259 writes it and no wider: no comments, no lone surrogates, no member twice.
struct JSONReader {
    private let bytes: [UInt8]
    private let depthLimit: Int
    private var position = 0

    init(bytes: [UInt8], depthLimit: Int) {
        self.bytes = bytes
        self.depthLimit = depthLimit
    }

    mutating func readAll() throws(JOSEError) -> JSONValue {
        let value = try readValue(depth: 0)
        skipWhiteSpace()
        guard position == bytes.count else { throw .malformed("bytes behind the JSON text") }
        return value
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipWhiteSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func readValue(depth: Int) throws(JOSEError) -> JSONValue {
        guard depth <= depthLimit else { throw .malformed("JSON nested too deep") }
        skipWhiteSpace()
        switch next {
        case UInt8(ascii: "{"): return .object(try readMembers(depth: depth))
        case UInt8(ascii: "["): return .array(try readElements(depth: depth))
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .boolean(true))
        case UInt8(ascii: "f"): return try readWord("false", .boolean(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        default: return .number(try readNumber())
        }
    }

    private mutating func readWord(_ word: String, _ value: JSONValue) throws(JOSEError) -> JSONValue {
        for byte in word.utf8 {
            guard take(byte) else { throw .malformed("not a JSON value") }
        }
        return value
    }

    private mutating func readMembers(depth: Int) throws(JOSEError) -> [JSONMember] {
        position += 1
        var members: [JSONMember] = []
        var names: Set<[UInt8]> = []
        skipWhiteSpace()
        if take(UInt8(ascii: "}")) { return members }
        while true {
            skipWhiteSpace()
            guard next == UInt8(ascii: "\"") else { throw .malformed("a member has no name") }
            let name = try readString()
            // By bytes, since Swift's strings also compare equal where only their normal form is the same.
            guard names.insert(Array(name.utf8)).inserted else { throw .duplicateName(excerpt(name)) }
            skipWhiteSpace()
            guard take(UInt8(ascii: ":")) else { throw .malformed("a member has no value") }
            members.append(JSONMember(name, try readValue(depth: depth + 1)))
            skipWhiteSpace()
            if take(UInt8(ascii: "}")) { return members }
            guard take(UInt8(ascii: ",")) else { throw .malformed("an object is not closed") }
        }
    }

    private mutating func readElements(depth: Int) throws(JOSEError) -> [JSONValue] {
        position += 1
        var values: [JSONValue] = []
        skipWhiteSpace()
        if take(UInt8(ascii: "]")) { return values }
        while true {
            values.append(try readValue(depth: depth + 1))
            skipWhiteSpace()
            if take(UInt8(ascii: "]")) { return values }
            guard take(UInt8(ascii: ",")) else { throw .malformed("an array is not closed") }
        }
    }

    private mutating func readString() throws(JOSEError) -> String {
        position += 1
        var content: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else { throw .malformed("not UTF-8") }
                return text
            case UInt8(ascii: "\\"): try readEscape(into: &content)
            case 0..<0x20: throw .malformed("a control character in a string")
            default: content.append(byte)
            }
        }
        throw .malformed("a string is not closed")
    }

    private mutating func readEscape(into content: inout [UInt8]) throws(JOSEError) {
        guard let byte = next else { throw .malformed("a string is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            var code = try readFourDigits()
            if (0xD800...0xDBFF).contains(code) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                    throw .malformed("half a surrogate pair")
                }
                let low = try readFourDigits()
                guard (0xDC00...0xDFFF).contains(low) else { throw .malformed("half a surrogate pair") }
                code = 0x1_0000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw .malformed("half a surrogate pair") }
            content += Array(String(Character(scalar)).utf8)
        default: throw .malformed("an unknown escape in a string")
        }
    }

    private mutating func readFourDigits() throws(JOSEError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw .malformed("an escape has not four digits")
            }
            position += 1
            code = code << 4 | UInt32(digit)
        }
        return code
    }

    private mutating func readNumber() throws(JOSEError) -> String {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try readDigits() }
        if take(UInt8(ascii: ".")) { try readDigits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try readDigits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func readDigits() throws(JOSEError) {
        let start = position
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw .malformed("not a JSON value") }
    }
}

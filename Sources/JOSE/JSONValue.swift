internal import HPKI

/// One member of a JSON object.
package struct JSONMember: Sendable, Hashable {
    package let name: String
    package let value: JSONValue

    /// A member by its name and value.
    package init(_ name: String, _ value: JSONValue) {
        self.name = name
        self.value = value
    }
}

/// A JSON text (RFC 8259) that keeps the order of members and the digits of numbers.
package indirect enum JSONValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    /// A number as its JSON text, so that nothing is lost to floating point.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    /// Reads exactly one value; throws `.malformed` or `.duplicateName`.
    package static func read(_ bytes: [UInt8], depthLimit: Int = 16) throws(JOSEError) -> JSONValue {
        var reader = JSONReader(bytes: bytes, depthLimit: depthLimit)
        return try reader.readAll()
    }

    /// The value of a member, or nil where there is none or this is no object.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The text of a string, or nil of another value.
    package var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The texts of an array of nothing but strings, or nil of another value.
    package var texts: [String]? {
        guard case .array(let values) = self else { return nil }
        let texts = values.compactMap(\.text)
        return texts.count == values.count ? texts : nil
    }

    /// The members of an object in their order, or nil of another value.
    package var members: [JSONMember]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The values of an array, or nil of another value.
    package var elements: [JSONValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    /// The truth value, or nil of another value.
    package var flag: Bool? {
        if case .boolean(let flag) = self { flag } else { nil }
    }

    /// The number where it is written as an integer of 64 bits, or nil of another value.
    package var integer: Int64? {
        if case .number(let digits) = self { Int64(digits) } else { nil }
    }

    /// The value in UTF-8 without white space, members in their order.
    package var bytes: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .null: output += Array("null".utf8)
        case .boolean(let flag): output += Array((flag ? "true" : "false").utf8)
        case .number(let digits): output += Array(digits.utf8)
        case .string(let text): Self.write(text, to: &output)
        case .array(let values):
            output.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                value.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.write(member.name, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0..<0x20: output += Array("\\u00".utf8) + Array(Hex.encode([byte]).utf8)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string.
    package init(stringLiteral value: String) { self = .string(value) }
    /// An integer.
    package init(integerLiteral value: Int64) { self = .number(String(value)) }
    /// A truth value.
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
    /// An array.
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object with its members in the order written.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { JSONMember($0.0, $0.1) })
    }

    /// An integer.
    package static func integer(_ value: Int64) -> JSONValue { .number(String(value)) }
}

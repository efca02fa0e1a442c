/// Reads the CBOR that authenticators send; strict, bounded and total on any bytes (RFC 8949, CTAP 2.1 §8).
///
/// Lengths are definite and shortest, maps name no key twice, texts are UTF-8, nothing nests beyond `depth`; there are
/// no tags and no floating-point numbers. The order of a map's keys is left to the authenticator.
package struct CBORReader: Sendable {
    /// The deepest nesting that is read.
    package static let depth = 6
    /// The most items of one array or map.
    package static let items = 64

    private let data: ArraySlice<UInt8>
    private var position: Int

    /// A reader at the start of `data`.
    package init(_ data: ArraySlice<UInt8>) {
        self.data = data
        position = data.startIndex
    }

    /// The one value that the bytes are, with nothing behind it; throws `.cbor`.
    package static func value(_ bytes: [UInt8]) throws(PasskeyError) -> CBORValue {
        var reader = CBORReader(bytes[...])
        let value = try reader.next()
        guard reader.rest.isEmpty else { throw .cbor("something follows the value") }
        return value
    }

    /// What has not been read yet.
    package var rest: ArraySlice<UInt8> { data[position...] }

    /// The next value; throws `.cbor`.
    package mutating func next() throws(PasskeyError) -> CBORValue { try next(within: Self.depth) }

    private mutating func next(within depth: Int) throws(PasskeyError) -> CBORValue {
        guard depth > 0 else { throw .cbor("values are nested too deeply") }
        let initial = try byte()
        let (major, information) = (initial >> 5, initial & 0x1F)
        if major == 7 { return try simple(information) }
        let argument = try argument(information)
        switch major {
        case 0: return .integer(try number(argument))
        case 1: return .integer(-1 - (try number(argument)))
        case 2: return .bytes(Array(try take(argument)))
        case 3:
            guard let text = String(validating: try take(argument), as: UTF8.self) else {
                throw .cbor("a text is not UTF-8")
            }
            return .text(text)
        case 4:
            var values: [CBORValue] = []
            for _ in 0..<(try count(argument)) { values.append(try next(within: depth - 1)) }
            return .array(values)
        case 5: return try map(count(argument), within: depth - 1)
        default: throw .cbor("there is a tag")
        }
    }

    private mutating func map(_ count: Int, within depth: Int) throws(PasskeyError) -> CBORValue {
        var members: [CBORValue.Member] = []
        var keys: Set<CBORValue> = []
        for _ in 0..<count {
            let key = try next(within: depth)
            switch key {
            case .integer, .text: break
            default: throw .cbor("a map's key is neither a number nor a text")
            }
            guard keys.insert(key).inserted else { throw .cbor("a map has a key twice") }
            members.append(CBORValue.Member(key: key, value: try next(within: depth)))
        }
        return .map(members)
    }

    private func simple(_ information: UInt8) throws(PasskeyError) -> CBORValue {
        switch information {
        case 20: return .bool(false)
        case 21: return .bool(true)
        case 22: return .null
        default: throw .cbor("a simple value is none of false, true and null")
        }
    }

    /// The argument of an initial byte, in its shortest form (RFC 8949 §4.2.1).
    private mutating func argument(_ information: UInt8) throws(PasskeyError) -> UInt64 {
        guard information >= 24 else { return UInt64(information) }
        guard information <= 27 else { throw .cbor("a length is indefinite or reserved") }
        let size = 1 << Int(information - 24)
        var argument: UInt64 = 0
        for octet in try take(UInt64(size)) { argument = argument << 8 | UInt64(octet) }
        let least: UInt64 = size == 1 ? 24 : 1 << (UInt64(size) * 4)
        guard argument >= least else { throw .cbor("a number is not in its shortest form") }
        return argument
    }

    private func number(_ argument: UInt64) throws(PasskeyError) -> Int64 {
        guard let number = Int64(exactly: argument) else { throw .cbor("a number is beyond 63 bits") }
        return number
    }

    private func count(_ argument: UInt64) throws(PasskeyError) -> Int {
        guard argument <= UInt64(Self.items) else { throw .cbor("an array or a map has too many items") }
        return Int(argument)
    }

    private mutating func byte() throws(PasskeyError) -> UInt8 {
        guard position < data.endIndex else { throw .cbor("it is cut short") }
        defer { position += 1 }
        return data[position]
    }

    private mutating func take(_ length: UInt64) throws(PasskeyError) -> ArraySlice<UInt8> {
        guard length <= UInt64(data.endIndex - position) else { throw .cbor("it is cut short") }
        let start = position
        position += Int(length)
        return data[start..<position]
    }
}

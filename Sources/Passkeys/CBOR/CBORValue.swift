/// A value of CBOR, of the kinds that authenticators send (RFC 8949 §3).
package indirect enum CBORValue: Sendable, Hashable {
    /// A member of a map.
    package struct Member: Sendable, Hashable {
        package let key: CBORValue
        package let value: CBORValue
    }

    case integer(Int64)
    case bytes([UInt8])
    case text(String)
    case array([CBORValue])
    /// In the order of the encoding; no key stands twice.
    case map([Member])
    case bool(Bool)
    case null

    /// The member of a map with that key; nil for anything else.
    package subscript(key: CBORValue) -> CBORValue? {
        guard case .map(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// The member of a map with that name; nil for anything else.
    package subscript(name: String) -> CBORValue? { self[.text(name)] }

    /// The member of a map with that number; nil for anything else.
    package subscript(label: Int64) -> CBORValue? { self[.integer(label)] }

    /// The octets of a byte string; nil for anything else.
    package var bytes: [UInt8]? {
        guard case .bytes(let bytes) = self else { return nil }
        return bytes
    }

    /// The number of an integer; nil for anything else.
    package var integer: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    /// The characters of a text string; nil for anything else.
    package var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }
}

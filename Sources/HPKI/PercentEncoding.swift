/// Percent-encoding (RFC 3986 §2.1).
package enum PercentEncoding {
    /// The text behind `text`, in which a plus sign stands for `plus`; nil for a broken escape or what is not UTF-8.
    package static func decode(_ text: Substring, plus: Unicode.Scalar) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let decoded = Hex.decode(String(Substring(rest.prefix(2)))), decoded.count == 1 else {
                    return nil
                }
                rest = rest.dropFirst(2)
                bytes.append(decoded[0])
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: plus))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// `text` with every byte escaped that is not unreserved (RFC 3986 §2.3).
    package static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default: encoded += "%" + Hex.encode([byte]).uppercased()
            }
        }
        return encoded
    }

    /// A query, or a form's body, of those pairs that have a value.
    package static func query(_ pairs: [(String, String?)]) -> String {
        pairs.compactMap { name, value in value.map { "\(name)=\(encode($0))" } }.joined(separator: "&")
    }
}

/// The values that stretches of well-formed input stand for; the reader has checked every byte before.
enum XMLValue {
    /// Character data: references resolved, line ends made line feeds (XML 1.0 §2.11, §4.4).
    static func appendText(_ bytes: [UInt8], _ range: Range<Int>, to output: inout [UInt8]) {
        append(bytes, range, to: &output, references: true, inAttribute: false)
    }

    /// A CDATA section, comment or instruction: only line ends change.
    static func appendVerbatim(_ bytes: [UInt8], _ range: Range<Int>, to output: inout [UInt8]) {
        append(bytes, range, to: &output, references: false, inAttribute: false)
    }

    /// An attribute value of type CDATA: white space becomes spaces (XML 1.0 §3.3.3).
    static func appendAttribute(_ bytes: [UInt8], _ range: Range<Int>, to output: inout [UInt8]) {
        append(bytes, range, to: &output, references: true, inAttribute: true)
    }

    private static func append(
        _ bytes: [UInt8], _ range: Range<Int>, to output: inout [UInt8], references: Bool, inAttribute: Bool
    ) {
        var run = range.lowerBound
        var index = run
        while index < range.upperBound {
            let byte = bytes[index]
            guard byte <= UInt8(ascii: "&") else {
                index += 1
                continue
            }
            if byte == 0x0D {
                output.append(contentsOf: bytes[run..<index])
                output.append(inAttribute ? 0x20 : 0x0A)
                index += 1
                if index < range.upperBound, bytes[index] == 0x0A { index += 1 }
                run = index
            } else if inAttribute, byte == 0x0A || byte == 0x09 {
                output.append(contentsOf: bytes[run..<index])
                output.append(0x20)
                index += 1
                run = index
            } else if references, byte == UInt8(ascii: "&") {
                output.append(contentsOf: bytes[run..<index])
                let end = bytes[index..<range.upperBound].firstIndex(of: UInt8(ascii: ";")) ?? range.upperBound
                if let scalar = scalar(of: bytes[(index + 1)..<end]) { output.append(contentsOf: String(scalar).utf8) }
                index = min(end + 1, range.upperBound)
                run = index
            } else {
                index += 1
            }
        }
        output.append(contentsOf: bytes[run..<range.upperBound])
    }

    /// What a reference stands for, given what is between `&` and `;`; nil when it is none of the five entities
    /// and no number of a Unicode scalar.
    static func scalar(of reference: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard reference.first == UInt8(ascii: "#") else {
            return switch String(decoding: reference, as: UTF8.self) {
            case "lt": "<"
            case "gt": ">"
            case "amp": "&"
            case "apos": "'"
            case "quot": "\""
            default: nil
            }
        }
        var digits = reference.dropFirst()
        let isHexadecimal = digits.first == UInt8(ascii: "x")
        if isHexadecimal { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return nil }
        var value: UInt32 = 0
        for digit in digits {
            let number: UInt8
            switch digit {
            case 0x30...0x39: number = digit - 0x30
            case 0x41...0x46 where isHexadecimal: number = digit - 0x41 + 10
            case 0x61...0x66 where isHexadecimal: number = digit - 0x61 + 10
            default: return nil
            }
            value = value * (isHexadecimal ? 16 : 10) + UInt32(number)
            // Checked at each digit, so that no length of digits can overflow.
            guard value <= 0x10FFFF else { return nil }
        }
        return Unicode.Scalar(value)
    }
}

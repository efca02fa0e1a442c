import Passkeys
import Testing

@Suite("CBOR as authenticators send it")
struct CBORTests {
    @Test(
        "values are read",
        arguments: [
            ([0x00], CBORValue.integer(0)), ([0x17], .integer(23)), ([0x18, 0x18], .integer(24)),
            ([0x39, 0x01, 0x00], .integer(-257)), ([0x19, 0x01, 0x00], .integer(256)),
            ([0x43, 1, 2, 3], .bytes([1, 2, 3])), ([0x63, 0x61, 0x62, 0x63], .text("abc")), ([0x80], .array([])),
            ([0x82, 0xF5, 0xF6], .array([.bool(true), .null])), ([0xA0], .map([])),
            ([0x3B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .integer(.min)),
        ] as [([UInt8], CBORValue)])
    func reads(bytes: [UInt8], value: CBORValue) throws {
        #expect(try CBORReader.value(bytes) == value)
    }

    @Test(
        "what breaks a rule is refused with it",
        arguments: [
            ([], "it is cut short"), ([0x43, 1, 2], "it is cut short"),
            ([0x5B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "it is cut short"),
            ([0x00, 0x00], "something follows the value"), ([0x18, 0x17], "a number is not in its shortest form"),
            ([0x19, 0x00, 0xFF], "a number is not in its shortest form"),
            ([0x1A, 0x00, 0x00, 0xFF, 0xFF], "a number is not in its shortest form"),
            ([0x1B, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], "a number is not in its shortest form"),
            ([0x5F, 0x41, 0x01, 0xFF], "a length is indefinite or reserved"),
            ([0x9F, 0xFF], "a length is indefinite or reserved"), ([0xBF, 0xFF], "a length is indefinite or reserved"),
            ([0x1C], "a length is indefinite or reserved"),
            ([0xA2, 0x01, 0x00, 0x01, 0x00], "a map has a key twice"),
            ([0xA1, 0x40, 0x00], "a map's key is neither a number nor a text"),
            ([0x61, 0xFF], "a text is not UTF-8"), ([0xC0, 0x00], "there is a tag"),
            ([0xF9, 0x00, 0x00], "a simple value is none of false, true and null"),
            ([0xF7], "a simple value is none of false, true and null"),
            ([0x1B, 0x80, 0, 0, 0, 0, 0, 0, 0], "a number is beyond 63 bits"),
            ([0x98, 0x41], "an array or a map has too many items"),
            ([0xBA, 0xFF, 0xFF, 0xFF, 0xFF], "an array or a map has too many items"),
            ([0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x00], "values are nested too deeply"),
        ] as [([UInt8], String)])
    func refuses(bytes: [UInt8], reason: String) {
        #expect(throws: PasskeyError.cbor(reason)) { try CBORReader.value(bytes) }
    }
}

import HPKI
import Testing

@Suite struct CSVFieldTests {
    private func text(_ field: String) -> String { String(decoding: CSVField.encode(field), as: UTF8.self) }

    @Test(arguments: [
        ("", "\"\""), ("plain", "\"plain\""), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""),
        // A line end is one character to a reader of text, and two bytes here.
        ("b\r\n=1", "\"b\r\n=1\""), ("a\"\u{301}b", "\"a\"\"\u{301}b\""),
        ("=1", "\"'=1\""), (" \u{3000}+1", "\"' \u{3000}+1\""), ("＝1", "\"'＝1\""), ("\r\nx", "\"'\r\nx\""),
        ("-1", "\"'-1\""), ("@x", "\"'@x\""), ("\u{FEFF}=1", "\"'\u{FEFF}=1\""), ("x=1", "\"x=1\""),
    ])
    func `a field is text to whoever reads it`(_ field: String, _ written: String) {
        #expect(text(field).utf8.elementsEqual(written.utf8))
    }

    @Test func `a line has its fields between commas`() {
        #expect(CSVField.line(["a", "b,c", ""]) == Array("\"a\",\"b,c\",\"\"".utf8))
        #expect(CSVField.line([]).isEmpty)
    }
}

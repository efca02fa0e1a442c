import Testing
import XML

struct WellFormednessTests {
    @Test(arguments: [
        "<a/>", "<a />", "<a></a >", "\u{FEFF}<a/>", "<?xml version=\"1.0\"?><a/>",
        "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\r\n<a/>\n", "<!-- c --><?p?><a/><?p x?><!----> ",
        "<a b='1' c=\"2\"/>", "<a>&lt;&gt;&amp;&apos;&quot;&#65;&#x10FFFF;&#xd;</a>", "<a><![CDATA[<&]]]]>></a>",
        "<a>]] ></a>", "<a b='>'/>", "<a b='\"' c=\"'\"/>", "<処方箋 名='値'/>", "<a:b xmlns:a='urn:a' a:c='' c=''/>",
        "<a xmlns='urn:a'><b xmlns=''/></a>", "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='ja'/>",
        "<a xml:space='preserve'/>", "<a><?xml-stylesheet x?></a>", "<a>\u{85}\u{7F}\u{FFFD}\u{E000}</a>", "<_.-1/>",
        "<a\n\tb = '1'\r/>", "<a xmlns:p='urn:p' xmlns:q='urn:q' p:x='' q:x=''/>", "<a><!-- - - --></a>",
        "<a>\u{1F600}</a>", "<a b='&#10;\t\n'/>", "<a xmlns='relative'/>",
    ])
    func `a well-formed document is read`(_ text: String) throws {
        let document = try XMLDocument(parsing: Array(text.utf8))
        #expect(document.root.parent == nil)
    }

    @Test(
        arguments: [
            ("", .missingRoot), (" ", .missingRoot), ("<!-- -->", .missingRoot), ("<", .unexpectedEnd),
            ("<a", .unexpectedEnd), ("<a>", .unexpectedEnd), ("<a b", .unexpectedEnd), ("<a b='", .unexpectedEnd),
            ("<a/", .unexpectedEnd), ("<a></a", .unexpectedEnd), ("<a>&lt", .unexpectedEnd),
            ("<a><!--", .unexpectedEnd),
            ("<a><![CDATA[", .unexpectedEnd), ("<a><?p", .unexpectedEnd),
            ("<?xml version='1.0'", .malformedDeclaration),
            ("<!DOCTYPE a><a/>", .doctypeRefused), ("<?xml version='1.0'?><!DOCTYPE", .doctypeRefused),
            ("<a><!DOCTYPE b></a>", .doctypeRefused), ("<a><!ELEMENT b></a>", .malformedMarkup),
            ("<?xml version='1.1'?><a/>", .unsupportedVersion), ("<?xml version='1'?><a/>", .unsupportedVersion),
            ("<?xml version='1.0' encoding='Shift_JIS'?><a/>", .unsupportedEncoding),
            ("<?xml version='1.0' encoding='UTF-16'?><a/>", .unsupportedEncoding),
            ("<?xml encoding='UTF-8'?><a/>", .malformedDeclaration),
            ("<?xml version='1.0' standalone='maybe'?><a/>", .malformedDeclaration),
            ("<?xml version='1.0'encoding='UTF-8'?><a/>", .malformedDeclaration),
            (" <?xml version='1.0'?><a/>", .malformedProcessingInstruction),
            ("<a><?XML x?></a>", .malformedProcessingInstruction), ("<a><?p:q x?></a>", .malformedName),
            ("<a><?p+?></a>", .malformedProcessingInstruction), ("<?xml?><a/>", .malformedProcessingInstruction),
            ("<a><!-- -- --></a>", .malformedComment), ("<a><!-- ---></a>", .malformedComment),
            ("<a>]]></a>", .sectionEndInText), ("<a></b>", .mismatchedTag), ("<a><b></a></b>", .mismatchedTag),
            ("<a></ab>", .mismatchedTag), ("<ab></a>", .mismatchedTag), ("</a>", .mismatchedTag),
            ("<a/><b/>", .contentOutsideRoot), ("<a/>x", .contentOutsideRoot), ("x<a/>", .contentOutsideRoot),
            ("<a/><![CDATA[]]>", .contentOutsideRoot), ("<a/>&#32;", .contentOutsideRoot),
            ("<a b/>", .malformedAttribute), ("<a b=c/>", .malformedAttribute), ("<a b='<'/>", .malformedAttribute),
            ("<a b='1'c='2'/>", .malformedMarkup), ("<a/ >", .malformedMarkup), ("< a/>", .malformedName),
            ("<1/>", .malformedName), ("<-a/>", .malformedName), ("<a:/>", .malformedName), ("<:a/>", .malformedName),
            ("<a:b:c/>", .malformedName), ("<a:1 xmlns:a='urn:a'/>", .malformedName), ("<a\u{D7}/>", .malformedName),
            ("<a b='1' b='2'/>", .duplicateAttribute),
            ("<a xmlns:p='urn:p' xmlns:q='urn:p' p:x='' q:x=''/>", .duplicateAttribute),
            ("<a xmlns:p='urn:p' xmlns:p='urn:q'/>", .duplicateAttribute),
            ("<a xmlns='urn:p' xmlns='urn:q'/>", .duplicateAttribute),
            ("<a>&b;</a>", .unknownEntity), ("<a b='&nbsp;'/>", .unknownEntity), ("<a>&;</a>", .malformedReference),
            ("<a>& </a>", .malformedReference), ("<a>&#;</a>", .malformedReference),
            ("<a>&#x;</a>", .malformedReference),
            ("<a>&#X41;</a>", .malformedReference), ("<a>&#4A;</a>", .malformedReference),
            ("<a>&#99999999999999999999;</a>", .malformedReference), ("<a>&#xD800;</a>", .malformedReference),
            ("<a>&#0;</a>", .forbiddenCharacter), ("<a>&#8;</a>", .forbiddenCharacter),
            ("<a>&#xFFFE;</a>", .forbiddenCharacter), ("<a>\u{1}</a>", .forbiddenCharacter),
            ("<a b='\u{1F}'/>", .forbiddenCharacter), ("<a><!--\0--></a>", .forbiddenCharacter),
            ("<a>\u{FFFF}</a>", .forbiddenCharacter), ("<p:a/>", .undeclaredPrefix), ("<a p:b=''/>", .undeclaredPrefix),
            ("<a><b xmlns:p='urn:p'/><p:c/></a>", .undeclaredPrefix), ("<a xmlns:p=''/>", .reservedNamespace),
            ("<a xmlns:xmlns='urn:x'/>", .reservedNamespace), ("<xmlns:a/>", .reservedNamespace),
            ("<a xmlns:xml='urn:x'/>", .reservedNamespace),
            ("<a xmlns='http://www.w3.org/XML/1998/namespace'/>", .reservedNamespace),
            ("<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", .reservedNamespace),
        ] as [(String, XMLError.Reason)])
    func `what is not well-formed is refused with its reason`(_ text: String, _ reason: XMLError.Reason) {
        #expect(reasonOfRefusal(Array(text.utf8)) == reason)
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0xAF], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xE3, 0x81], [0xFF],
        ] as [[UInt8]])
    func `what is not UTF-8 is refused wherever it stands`(_ wrong: [UInt8]) {
        for (before, after) in [
            ("<a>", "</a>"), ("<a b='", "'/>"), ("<a><!--", "--></a>"), ("<a><?p ", "?></a>"), ("<a", "/>"),
            ("", "<a/>"),
            ("<a><![CDATA[", "]]></a>"),
        ] where !(before.isEmpty && wrong == [0xFF]) {
            #expect(reasonOfRefusal(Array(before.utf8) + wrong + Array(after.utf8)) == .malformedUTF8)
        }
        #expect(reasonOfRefusal([0xFF, 0xFE] + Array("<a/>".utf8)) == .unsupportedEncoding)
    }

    @Test func `an error tells the place and nothing of the text`() throws {
        let text = "<a>\n  <患者>secret&bad;</患者></a>"
        let error = try #require(throws: XMLError.self) { try XMLDocument(parsing: Array(text.utf8)) }
        #expect(error.offset == 20 && error.line == 2 && error.column == 13)
        #expect("\(error)" == "an unknown entity at line 2, column 13 (byte 20)")
    }

    @Test func `line ends, references and white space become the values of the standard`() throws {
        let document = try XMLDocument(
            parsing: Array("<a b='x\r\ny\tz&#9;&amp;\r'>1\r\n2\r3&#13;<![CDATA[\r\n&lt;]]><b>no</b>&gt;</a>".utf8))
        #expect(document.root.attribute("b") == "x y z\t& ")
        #expect(document.root.text == "1\n2\n3\r\n&lt;>")
    }
}

/// Why the reader refuses `bytes`, or nil if it doesn't.
func reasonOfRefusal(_ bytes: [UInt8], limits: XMLLimits = .standard) -> XMLError.Reason? {
    do {
        _ = try XMLDocument(parsing: bytes, limits: limits)
        return nil
    } catch {
        return error.reason
    }
}

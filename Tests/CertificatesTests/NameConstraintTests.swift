import Certificates
import Development
import HPKI
import Testing

/// RFC 5280 §4.2.1.10, one form of name after the other.
@Suite struct NameConstraintTests {
    private static func text(_ tag: UInt8, _ text: String) -> [UInt8] {
        DER.value(.contextPrimitive(tag), Array(text.utf8))
    }
    private static func email(_ value: String) -> [UInt8] { text(1, value) }
    private static func host(_ value: String) -> [UInt8] { text(2, value) }
    private static func uri(_ value: String) -> [UInt8] { text(6, value) }
    private static func address(_ octets: UInt8...) -> [UInt8] { DER.value(.contextPrimitive(7), octets) }
    private static func directory(_ names: String...) -> [UInt8] {
        DER.explicit(
            4,
            DER.sequence(
                of: names.map {
                    DER.set(of: [DER.sequence(DER.objectIdentifier(OID.organizationName), DER.utf8String($0))])
                }))
    }

    private static func constraints(permitted: [[UInt8]] = [], excluded: [[UInt8]] = []) -> [UInt8] {
        func trees(_ number: UInt8, _ names: [[UInt8]]) -> [[UInt8]] {
            names.isEmpty ? [] : [DER.value(.context(number), names.flatMap { DER.sequence($0) })]
        }
        return Extensions.critical(OID.nameConstraints, DER.sequence(of: trees(0, permitted) + trees(1, excluded)))
    }

    private static func names(_ names: [[UInt8]]) -> [UInt8] {
        Extensions.plain(OID.subjectAltName, DER.sequence(of: names))
    }

    /// True where a holder with `name` passes below an authority with these trees.
    private func passes(_ name: [UInt8], permitted: [[UInt8]] = [], excluded: [[UInt8]] = []) throws -> Bool {
        let made = try MadePath()
        let limit = Self.constraints(permitted: permitted, excluded: excluded)
        let authority = try made.authority("Authority", [limit])
        let leaf = try made.leaf(by: authority, [Self.names([name])])
        switch try made.fault(leaf, through: [authority]) {
        case nil: return true
        case .nameNotPermitted(.leaf, _): return false
        case let other:
            Issue.record("\(String(describing: other))")
            return false
        }
    }

    private static let permittedCases: [(name: [UInt8], tree: [UInt8], passes: Bool)] = [
        (email("a@example.jp"), email("example.jp"), true), (email("a@mail.example.jp"), email("example.jp"), false),
        (email("a@mail.example.jp"), email(".example.jp"), true), (email("a@example.jp"), email(".example.jp"), false),
        (email("a@EXAMPLE.jp"), email("a@example.jp"), true), (email("b@example.jp"), email("a@example.jp"), false),
        (email("a@evil.jp@example.jp"), email("example.jp"), false), (email("example.jp"), email("example.jp"), false),
        (host("example.jp"), host("example.jp"), true), (host("a.EXAMPLE.jp"), host("example.jp"), true),
        (host("badexample.jp"), host("example.jp"), false), (host("*.example.jp"), host("example.jp"), true),
        (host("anything"), host(""), true), (host("example.jp."), host("example.jp"), false),
        (uri("https://example.jp/x"), uri("example.jp"), true),
        (uri("https://a.example.jp:8443"), uri("example.jp"), false),
        (uri("https://a.example.jp"), uri(".example.jp"), true), (uri("urn:example.jp"), uri("example.jp"), false),
        (uri("https://example.jp@evil.jp/"), uri("example.jp"), false),
        (uri("https://evil.jp#@example.jp/"), uri("example.jp"), false),
        (uri("https://192.0.2.1/"), uri(".2.1"), false),
        (address(192, 0, 2, 7), address(192, 0, 2, 0, 255, 255, 255, 0), true),
        (address(192, 0, 3, 7), address(192, 0, 2, 0, 255, 255, 255, 0), false),
        (address(192, 0, 2, 7), address(192, 0, 2, 0, 255, 0, 255, 0), false),
        (directory("Ministry", "Unit"), directory("ministry "), true),
        (directory("Other"), directory("Ministry"), false),
    ]

    @Test(arguments: permittedCases)
    func `a permitted tree lets in what is within it and nothing else`(
        name: [UInt8], tree: [UInt8], isWithin: Bool
    ) throws {
        // The subject is a directory name too.
        let subject = MadePath.name("Holder")
        let trees = tree[0] == 0xA4 ? [tree, DER.explicit(4, subject)] : [tree]
        #expect(try passes(name, permitted: trees) == isWithin)
    }

    private static let excludedCases: [(name: [UInt8], tree: [UInt8], passes: Bool)] = [
        (email("a@example.jp"), email("example.jp"), false), (email("a@other.jp"), email("example.jp"), true),
        (email("\"a@b\"@example.jp"), email("other.jp"), false), (email("A@example.jp"), email("a@example.jp"), false),
        (host("a.example.jp"), host("example.jp"), false), (host("example.jp"), host(".example.jp"), false),
        (host("*.example.jp"), host("a.example.jp"), false), (host("*.other.jp"), host("a.example.jp"), true),
        (uri("https://192.0.2.1/"), uri("example.jp"), false), (uri("https://other.jp/"), uri("example.jp"), true),
        (address(192, 0, 2, 7), address(192, 0, 2, 7, 255, 255, 255, 255), false),
        (address(192, 0, 2, 8), address(192, 0, 2, 7, 255, 255, 255, 255), true),
        (directory("Ministry", "Unit"), directory("Ministry"), false), (directory("X"), directory("Ministry"), true),
    ]

    @Test(arguments: excludedCases)
    func `an excluded tree keeps out what is within it and what cannot be told`(
        name: [UInt8], tree: [UInt8], passes: Bool
    ) throws {
        #expect(try self.passes(name, excluded: [tree]) == passes)
    }

    @Test func `a form that is not understood is never waved through`() throws {
        let made = try MadePath()
        let other = DER.value(.context(0), DER.objectIdentifier("1.2.3") + DER.explicit(0, DER.null))
        let authority = try made.authority("Authority", [Self.constraints(excluded: [other])])
        let leaf = try made.leaf(by: authority, [Self.names([other])])
        #expect(try made.fault(leaf, through: [authority]) == .unappliedConstraint(.leaf, oid: OID.nameConstraints))
        // Nothing of that form, nothing to decide.
        #expect(try made.fault(try made.leaf(by: authority), through: [authority]) == nil)
    }

    @Test func `a common name that looks like a host's counts as one, unless hosts are named`() throws {
        let made = try MadePath()
        let authority = try made.authority("Authority", [Self.constraints(permitted: [Self.host("example.jp")])])
        let subject = MadePath.name("www.evil.jp")
        let bare = try made.leaf(by: authority, subject: subject)
        #expect(try made.fault(bare, through: [authority]) == .nameNotPermitted(.leaf, name: "www.evil.jp"))
        let named = try made.leaf(by: authority, subject: subject, [Self.names([Self.host("www.example.jp")])])
        #expect(try made.fault(named, through: [authority]) == nil)
    }

    @Test func `limits add up along the path, and the anchor's own count`() throws {
        let made = try MadePath(rootExtensions: [Self.constraints(excluded: [Self.host("secret.example.jp")])])
        let upper = try made.authority("Upper", [Self.constraints(permitted: [Self.host("example.jp")])])
        let lower = try made.authority("Lower", by: upper, [Self.constraints(permitted: [Self.host("jp")])])
        for (host, isGood) in [("a.example.jp", true), ("secret.example.jp", false), ("a.other.jp", false)] {
            let leaf = try made.leaf(by: lower, [Self.names([Self.host(host)])])
            #expect((try made.fault(leaf, through: [upper, lower]) == nil) == isGood)
        }
    }

    @Test func `limits without content, or with a distance, are not read`() throws {
        let made = try MadePath()
        let empty = Extensions.critical(OID.nameConstraints, DER.sequence())
        let tree = DER.sequence(Self.host("example.jp"), DER.value(.contextPrimitive(0), [1]))
        let distant = Extensions.critical(OID.nameConstraints, DER.sequence(DER.value(.context(0), tree)))
        for limit in [empty, distant] {
            #expect(throws: CertificateError.self) { _ = try made.authority("Authority", [limit]) }
        }
    }

    @Test func `more comparisons than are worth making are not made`() throws {
        let made = try MadePath()
        let trees = (0..<1000).map { Self.host("h\($0).jp") }
        let authority = try made.authority("Authority", [Self.constraints(excluded: trees)])
        let leaf = try made.leaf(by: authority, [Self.names((0..<100).map { Self.host("x\($0).example") })])
        #expect(try made.fault(leaf, through: [authority]) == .tooComplex)
    }
}

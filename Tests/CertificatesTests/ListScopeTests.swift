import Certificates
import Development
import HPKI
import Testing

/// RFC 5280 §6.3.3: which lists speak for a certificate, for which reasons, and by whose signature.
@Suite struct ListScopeTests {
    private static func place(_ name: String) -> [UInt8] { DER.explicit(4, MadePath.name(name)) }

    /// issuingDistributionPoint: a place, flags by their numbers, reasons by their octets.
    private func scope(place: String? = nil, flags: [UInt8] = [], reasons: [UInt8]? = nil) -> [UInt8] {
        var parts: [[UInt8]] = []
        if let place { parts.append(DER.explicit(0, DER.explicit(0, Self.place(place)))) }
        for number: UInt8 in 1...5 {
            if number == 3, let reasons { parts.append(DER.value(.contextPrimitive(3), reasons)) }
            if flags.contains(number) { parts.append(DER.value(.contextPrimitive(number), [0xFF])) }
        }
        return Extensions.critical(OID.issuingDistributionPoint, DER.sequence(of: parts))
    }

    /// cRLDistributionPoints with one point.
    private func point(_ place: String? = nil, reasons: [UInt8]? = nil, by issuer: String? = nil) -> [UInt8] {
        var parts: [[UInt8]] = []
        if let place { parts.append(DER.explicit(0, DER.explicit(0, Self.place(place)))) }
        if let reasons { parts.append(DER.value(.contextPrimitive(1), reasons)) }
        if let issuer { parts.append(DER.explicit(2, Self.place(issuer))) }
        return Extensions.plain(OID.cRLDistributionPoints, DER.sequence(DER.sequence(of: parts)))
    }

    private func change(from base: UInt64) -> [UInt8] {
        Extensions.critical(OID.deltaCRLIndicator, DER.integer(base))
    }

    private func isRevoked(_ fault: PathFault?) -> Bool {
        if case .revoked = fault { true } else { false }
    }

    @Test func `lists for some reasons must together speak for all`() throws {
        let made = try MadePath()
        let issuer = try made.authority("Authority")
        let leaf = try made.leaf(by: issuer)
        let root = try made.list(by: made.root)
        // Bits 1 and 2; bits 3 to 8.
        let compromise = try made.list(by: issuer, [scope(reasons: [0x05, 0x60])])
        let others = try made.list(by: issuer, [scope(reasons: [0x07, 0x1F, 0x80])])
        #expect(try made.fault(leaf, through: [issuer], lists: [root, compromise]) == .revocationUnknown(.leaf))
        #expect(try made.fault(leaf, through: [issuer], lists: [root, others]) == .revocationUnknown(.leaf))
        #expect(try made.fault(leaf, through: [issuer], lists: [root, compromise, others]) == nil)
        let revoked = try made.list(by: issuer, revoked: [(9, .superseded)], [scope(reasons: [0x07, 0x1F, 0x80])])
        #expect(isRevoked(try made.fault(leaf, through: [issuer], lists: [root, compromise, revoked])))
    }

    @Test func `a list of one place speaks for the certificates that name it`() throws {
        let made = try MadePath()
        let issuer = try made.authority("Authority")
        let root = try made.list(by: made.root)
        let list = try made.list(by: issuer, [scope(place: "Here")])
        let here = try made.leaf(by: issuer, [point("here")])
        let there = try made.leaf(by: issuer, [point("There")])
        #expect(try made.fault(here, through: [issuer], lists: [root, list]) == nil)
        #expect(try made.fault(there, through: [issuer], lists: [root, list]) == .revocationUnknown(.leaf))
        let partly = try made.leaf(by: issuer, [point("Here", reasons: [0x05, 0x60])])
        #expect(try made.fault(partly, through: [issuer], lists: [root, list]) == .revocationUnknown(.leaf))
    }

    @Test func `a list of changes is laid over the complete list that it begins at`() throws {
        let made = try MadePath()
        let issuer = try made.authority("Authority")
        let root = try made.list(by: made.root)
        func fault(_ serial: UInt8, _ lists: [[UInt8]]) throws -> PathFault? {
            try made.fault(made.leaf(by: issuer, serial: serial), through: [issuer], lists: [root] + lists)
        }
        let complete = try made.list(
            by: issuer, number: 5, revoked: [(10, .keyCompromise), (11, .certificateHold)])
        let changes = try made.list(
            by: issuer, number: 6, revoked: [(9, .superseded), (11, .removeFromCRL)], [change(from: 4)])
        #expect(try fault(9, [complete]) == nil)
        #expect(isRevoked(try fault(9, [complete, changes])))
        #expect(isRevoked(try fault(10, [complete, changes])))
        #expect(isRevoked(try fault(11, [complete])))
        #expect(try fault(11, [complete, changes]) == nil)
        // Alone, or over a list from before its beginning, it tells nothing.
        #expect(try fault(12, [changes]) == .revocationUnknown(.leaf))
        let late = try made.list(by: issuer, number: 9, revoked: [(11, .removeFromCRL)], [change(from: 8)])
        #expect(isRevoked(try fault(11, [complete, late])))
        // A release that is out of date counts no more.
        let old = try made.list(
            by: issuer, number: 6, revoked: [(11, .removeFromCRL)], at: noon.adding(seconds: -90_000),
            [change(from: 4)])
        #expect(isRevoked(try fault(11, [complete, old])))
    }

    @Test func `an indirect list speaks for another authority where the certificate names its issuer`() throws {
        let made = try MadePath()
        let issuer = try made.authority("Authority")
        let lister = try made.authority("Lister", serial: 3, usage: Extensions.keyUsage(.cRLSign))
        let root = try made.list(by: made.root)
        let direct = try made.list(by: lister)
        let indirect = try made.list(by: lister, [scope(flags: [4])])
        let leaf = try made.leaf(by: issuer, [point(by: "Lister")])
        let known = [issuer, lister]
        #expect(try made.fault(leaf, through: known, lists: [root, indirect]) == nil)
        #expect(try made.fault(leaf, through: known, lists: [root, direct]) == .revocationUnknown(.leaf))
        let unasked = try made.leaf(by: issuer)
        #expect(try made.fault(unasked, through: known, lists: [root, indirect]) == .revocationUnknown(.leaf))
        // The entry of serial number 9 is the lister's own, whose certificates are others.
        let own = try made.list(by: lister, revoked: [(9, .keyCompromise)], [scope(flags: [4])])
        #expect(try made.fault(leaf, through: known, lists: [root, own]) == nil)
        // A lister that is revoked, or of whom nothing is known, tells nothing.
        let revoking = try made.list(by: made.root, revoked: [(3, .keyCompromise)])
        #expect(try made.fault(leaf, through: known, lists: [revoking, indirect]) == .revocationUnknown(.leaf))
    }

    @Test func `a key of the issuer's name that no path proves signs no lists`() throws {
        let made = try MadePath()
        let issuer = try made.authority("Authority")
        let root = try made.list(by: made.root)
        let leaf = try made.leaf(by: issuer)
        let second = try made.authority("Authority", serial: 3, usage: Extensions.keyUsage(.cRLSign))
        let list = try made.list(by: second)
        #expect(try made.fault(leaf, through: [issuer, second], lists: [root, list]) == nil)
        // The same name under a stranger's root: known, not trusted.
        let stranger = try MadePath()
        let pretender = try stranger.authority("Authority", usage: Extensions.keyUsage(.cRLSign))
        let forged = try made.list(by: pretender)
        let unproven = try made.fault(leaf, through: [issuer, pretender], lists: [root, forged])
        #expect(unproven == .revocationUnknown(.leaf))
        // A list that alone could tell that its own signer is not revoked.
        let vouching = try made.authority(
            "Vouching", by: issuer, serial: 4, usage: Extensions.keyUsage(.cRLSign), [point(by: "Vouching")])
        let circular = try made.list(by: vouching, [scope(flags: [4])])
        let holder = try made.leaf(by: issuer, [point(by: "Vouching")])
        let known = [issuer, vouching]
        #expect(try made.fault(holder, through: known, lists: [root, circular]) == .revocationUnknown(.leaf))
    }

    @Test func `only an indirect list may have entries of other authorities`() throws {
        let made = try MadePath()
        let issuer = try made.authority("Authority")
        let names = DER.sequence(Self.place("Other"))
        let entry = DER.sequence(
            DER.integer(9), DER.time(noon),
            DER.sequence(Extensions.critical(OID.certificateIssuer, names)))
        func list(_ extensions: [[UInt8]]) throws -> [UInt8] {
            let toBeSigned = DER.sequence(
                DER.integer(1), issuer.key.algorithmIdentifier, issuer.certificate.subject.der,
                DER.time(noon), DER.time(noon.adding(seconds: 60)),
                DER.sequence(entry, DER.sequence(DER.integer(8), DER.time(noon))),
                DER.explicit(0, DER.sequence(of: extensions)))
            return DER.sequence(
                toBeSigned, issuer.key.algorithmIdentifier,
                DER.bitString(try issuer.key.signature(over: toBeSigned)))
        }
        #expect(throws: CRLError.malformed(.unexpectedTag, field: "tbsCertList")) {
            _ = try CertificateRevocationList(der: try list([Extensions.crlNumber(1)]))
        }
        let read = try CertificateRevocationList(der: try list([scope(flags: [4])]))
        let other = try DistinguishedName(der: MadePath.name("Other")[...])
        // The issuer once named holds for the entries behind it.
        for serial: UInt8 in [8, 9] {
            #expect(read.entry(for: [serial]) == nil)
            #expect(read.entry(for: [serial], issuedBy: other) != nil)
        }
    }
}

import Certificates
import Development
import HPKI
import Testing

/// Extensions changed at random and signed all the same, so that not only reading but judging meets them.
@Suite struct HostileExtensionTests {
    private static let rounds = 1500

    private static func general(_ tag: UInt8, _ text: String) -> [UInt8] {
        DER.value(.contextPrimitive(tag), Array(text.utf8))
    }

    /// One of every extension that limits names, policies and lists.
    private static let extensions: [(oid: String, value: [UInt8])] = {
        let place = DER.explicit(4, MadePath.name("Here"))
        let trees = [general(1, "a@example.jp"), general(2, "example.jp"), general(6, ".example.jp"), place]
            .flatMap { DER.sequence($0) }
        let policies = ["1.2.1", "1.2.2", OID.anyPolicy].map { DER.sequence(DER.objectIdentifier($0)) }
        let mapping = DER.sequence(DER.objectIdentifier("1.2.1"), DER.objectIdentifier("1.2.2"))
        let relative = DER.value(
            .context(1), DER.sequence(DER.objectIdentifier(OID.commonName), DER.utf8String("Relative")))
        let points = [
            DER.sequence(DER.explicit(0, DER.explicit(0, place)), DER.value(.contextPrimitive(1), [0x05, 0x60])),
            DER.sequence(DER.explicit(0, relative), DER.explicit(2, place)),
        ]
        return [
            (OID.nameConstraints, DER.sequence(DER.value(.context(0), trees), DER.value(.context(1), trees))),
            (OID.certificatePolicies, DER.sequence(of: policies)),
            (OID.policyMappings, DER.sequence(mapping, mapping)),
            (
                OID.policyConstraints,
                DER.sequence(DER.value(.contextPrimitive(0), [1]), DER.value(.contextPrimitive(1), [0]))
            ),
            (OID.inhibitAnyPolicy, DER.integer(1)),
            (OID.cRLDistributionPoints, DER.sequence(of: points)),
            (OID.subjectAltName, DER.sequence(general(1, "a@example.jp"), general(2, "a.example.jp"), place)),
        ]
    }()

    private func changed(_ value: [UInt8], _ random: inout Seeded) -> [UInt8] {
        var value = value
        for _ in 0...random.below(3) {
            let place = random.below(value.count)
            switch random.below(4) {
            case 0: value[place] ^= 1 << UInt8(random.below(8))
            case 1: value[place] = UInt8(random.below(256))
            case 2 where value.count > 1: value.remove(at: place)
            default: value.insert(UInt8(random.below(256)), at: place)
            }
        }
        return value
    }

    @Test func `certificates with changed extensions are read and judged, or refused, and nothing stops`() throws {
        let made = try MadePath()
        var random = Seeded(20)
        var read = 0
        var refused = 0
        for _ in 0..<Self.rounds {
            let extensions = Self.extensions.map { oid, value in
                Extensions.plain(oid, random.below(4) == 0 ? changed(value, &random) : value)
            }
            guard let authority = try? made.authority("Authority", extensions),
                let leaf = try? made.leaf(by: authority, extensions)
            else {
                refused += 1
                continue
            }
            read += 1
            _ = try made.fault(leaf, through: [authority], lists: [])
        }
        print("changed extensions: \(read) certificates read and judged, \(refused) refused")
        #expect(read > 100 && refused > 100)
    }

    @Test func `lists with changed scopes are read or refused, and asking them stops nothing`() throws {
        let made = try MadePath()
        let issuer = try made.authority("Authority")
        let place = DER.explicit(4, MadePath.name("Here"))
        let scope = DER.sequence(
            DER.explicit(0, DER.explicit(0, place)), DER.value(.contextPrimitive(3), [0x05, 0x60]),
            DER.value(.contextPrimitive(4), [0xFF]))
        var random = Seeded(21)
        var read = 0
        for _ in 0..<Self.rounds {
            let list = try made.list(
                by: issuer, revoked: [(9, .keyCompromise), (8, .superseded)],
                [
                    Extensions.critical(
                        OID.issuingDistributionPoint, random.below(4) == 0 ? scope : changed(scope, &random)),
                    Extensions.critical(OID.deltaCRLIndicator, DER.integer(UInt64(random.below(300)))),
                ])
            guard let list = try? CertificateRevocationList(der: list) else { continue }
            read += 1
            #expect(list.entry(for: [7]) == nil)
            #expect(list.entry(for: [9], issuedBy: made.root.certificate.subject) == nil)
        }
        #expect(read > 100 && read < Self.rounds)
    }
}

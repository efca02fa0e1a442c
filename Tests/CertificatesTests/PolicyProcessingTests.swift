import Certificates
import Development
import HPKI
import Testing

/// RFC 5280 §6.1's policies along made paths; PKITS has the rest.
@Suite struct PolicyProcessingTests {
    private func policies(_ oids: String...) -> [UInt8] {
        Extensions.plain(
            OID.certificatePolicies, DER.sequence(of: oids.map { DER.sequence(DER.objectIdentifier($0)) }))
    }

    private func mappings(_ pairs: [(String, String)]) -> [UInt8] {
        Extensions.critical(
            OID.policyMappings,
            DER.sequence(of: pairs.map { DER.sequence(DER.objectIdentifier($0.0), DER.objectIdentifier($0.1)) }))
    }

    private func explicit(after count: UInt8) -> [UInt8] {
        Extensions.critical(OID.policyConstraints, DER.sequence(DER.value(.contextPrimitive(0), [count])))
    }

    private func valid(
        _ authority: [[UInt8]], _ leaf: [[UInt8]], root: [[UInt8]] = [], _ inputs: PolicyInputs
    ) throws -> Bool {
        let made = try MadePath(rootExtensions: root)
        let issuer = try made.authority("Authority", authority)
        let fault = try made.fault(try made.leaf(by: issuer, leaf), through: [issuer]) { $0.policies = inputs }
        #expect(fault == nil || fault == .policyNotValid)
        return fault == nil
    }

    @Test func `an initial policy must be valid along the whole path, where one is required`() throws {
        let wants1 = PolicyInputs(initialPolicies: ["1.2.1"], requiresExplicitPolicy: true)
        #expect(try valid([policies("1.2.1", "1.2.2")], [policies("1.2.1")], wants1))
        #expect(try !valid([policies("1.2.2")], [policies("1.2.1")], wants1))
        #expect(try !valid([], [policies("1.2.1")], wants1))
        #expect(try valid([policies(OID.anyPolicy)], [policies("1.2.1")], wants1))
        #expect(try !valid([policies(OID.anyPolicy)], [policies("1.2.2")], wants1))
        #expect(try valid([policies("1.2.2")], [policies("1.2.1")], PolicyInputs(initialPolicies: ["1.2.1"])))
        let noAny = PolicyInputs(requiresExplicitPolicy: true, inhibitsAnyPolicy: true)
        #expect(try !valid([policies(OID.anyPolicy)], [policies("1.2.1")], noAny))
    }

    @Test func `an authority's demand for a policy counts without the caller's`() throws {
        #expect(try !valid([policies("1.2.2"), explicit(after: 0)], [policies("1.2.1")], PolicyInputs()))
        #expect(try valid([policies("1.2.2"), explicit(after: 0)], [policies("1.2.2")], PolicyInputs()))
        #expect(try !valid([policies("1.2.2")], [policies("1.2.1")], root: [explicit(after: 0)], PolicyInputs()))
        #expect(try valid([policies("1.2.2")], [policies("1.2.1")], PolicyInputs()))
    }

    @Test func `the anchor's own policies narrow what is asked for`() throws {
        let inputs = PolicyInputs(requiresExplicitPolicy: true)
        #expect(try valid([policies("1.2.1")], [policies("1.2.1")], root: [policies("1.2.1")], inputs))
        #expect(try !valid([policies("1.2.1")], [policies("1.2.1")], root: [policies("1.2.9")], inputs))
    }

    @Test func `a policy that the issuer maps is found under its own name, unless mapping is inhibited`() throws {
        let mapped = [policies("1.2.1"), mappings([("1.2.1", "1.3.1")])]
        let wants = PolicyInputs(initialPolicies: ["1.2.1"], requiresExplicitPolicy: true)
        #expect(try valid(mapped, [policies("1.3.1")], wants))
        #expect(try !valid(mapped, [policies("1.2.1")], wants))
        let subject = PolicyInputs(initialPolicies: ["1.3.1"], requiresExplicitPolicy: true)
        #expect(try !valid(mapped, [policies("1.3.1")], subject))
        let inhibited = PolicyInputs(
            initialPolicies: ["1.2.1"], requiresExplicitPolicy: true, inhibitsMapping: true)
        #expect(try !valid(mapped, [policies("1.3.1")], inhibited))
        #expect(try !valid([policies("1.2.1"), mappings([("1.2.1", OID.anyPolicy)])], [], PolicyInputs()))
    }

    @Test(.timeLimit(.minutes(10)))
    func `mappings of everything to everything through many authorities end`() throws {
        // As a tree of nodes this would grow to 11 to the power of 8 (CVE-2023-0464).
        let names = (0..<11).map { "1.2.\($0)" }
        let all = Extensions.plain(
            OID.certificatePolicies, DER.sequence(of: names.map { DER.sequence(DER.objectIdentifier($0)) }))
        let crossed = mappings(names.flatMap { one in names.map { (one, $0) } })
        let made = try MadePath()
        var path: [MadePath.Member] = []
        for index in 0..<8 {
            path.append(try made.authority("Authority \(index)", by: path.last, [all, crossed]))
        }
        let leaf = try made.leaf(by: path[7], [all])
        let fault = try made.fault(leaf, through: path) {
            $0.maximumPathLength = 10
            $0.policies = PolicyInputs(initialPolicies: ["1.2.3"], requiresExplicitPolicy: true)
        }
        #expect(fault == nil)
    }

    @Test func `a signature over SHA-1 is named as such, and proves nothing`() throws {
        let made = try MadePath()
        let authority = try made.authority("Authority")
        let leaf = try made.leaf(by: authority)
        // The same certificate, but for the two names of its algorithm, which are of one length with this one.
        let old = DER.objectIdentifier(OID.ecdsaWithSHA256)
        let new = Array(old.dropLast()) + [1]
        var der = leaf.der
        for index in der.indices where der[index...].starts(with: old) {
            der.replaceSubrange(index..<index + old.count, with: new)
        }
        let changed = try HPKICertificate(der: der)
        #expect(try made.fault(changed, through: [authority]) == .signatureAlgorithm(.leaf))
    }

    @Test func `a short key and another purpose anywhere in the path are refused`() throws {
        let made = try MadePath()
        let client = DER.sequence(DER.objectIdentifier(OID.clientAuth))
        let purpose = Extensions.plain(OID.extKeyUsage, client)
        let issuer = try made.authority("Authority", [purpose])
        let server = Extensions.plain(OID.extKeyUsage, DER.sequence(DER.objectIdentifier(OID.serverAuth)))
        let leaf = try made.leaf(by: issuer, [server])
        #expect(
            try made.fault(leaf, through: [issuer]) { $0.extendedKeyUsage = OID.serverAuth }
                == .purposeNotAllowed(.authority("CN=Authority"), found: [OID.clientAuth]))
        #expect(try made.fault(leaf, through: [issuer]) == nil)
        var pki = try Shared.pki.get()
        let holder = try pki.issue(
            doctor, publicKey: try Shared.holderKey.get().subjectPublicKeyInfo, by: .jpa, now: noon)
        var strong = PathRequirements.hpkiSigning
        strong.minimumModulusBits = 3072
        #expect(
            try validator(&pki, requirements: strong).judge(holder, at: noon).fault
                == .weakKey(.leaf, bits: 2048, required: 3072))
    }
}

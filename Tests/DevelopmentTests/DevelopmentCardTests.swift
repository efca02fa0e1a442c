import Certificates
import Development
import Foundation
import HPKI
import Testing

private let now = Instant(seconds: 1_790_000_000)

/// Bytes that differ from call to call and are the same in every run.
private final class Counting: @unchecked Sendable {
    private let lock = NSLock()
    private var state: UInt64 = 1

    var random: Random {
        Random { count in
            self.lock.withLock {
                (0..<count).map { _ in
                    self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return UInt8(truncatingIfNeeded: self.state >> 33)
                }
            }
        }
    }
}

private let doctor = HolderProfile(
    romajiName: "Hanako Tameshi", japaneseName: "試し　花子", identifier: "doctor-1", roles: [.medicalDoctor])

/// Authorities with all that logging in needs, and one card's key; made once, since RSA keys take their time.
private let shared = Task {
    var pki = try DevelopmentPKI.create(random: Counting().random, now: now)
    try await pki.addAuthentication(random: Counting().random, now: now)
    return (pki, try DevelopmentKey.rsa2048())
}

/// The lists of one folder.
private func store(
    _ pki: inout DevelopmentPKI, _ folder: DevelopmentPKI.ListFolder, _ trust: TrustStore
) throws
    -> CRLStore
{
    try (pki.lists(now: now)[folder] ?? [:]).values.reduce(CRLStore()) {
        try $0.adding($1, issuers: trust.anchors + trust.intermediates)
    }
}

private func hpki(
    _ pki: inout DevelopmentPKI, requirements: PathRequirements = .hpkiAuthentication
) throws -> PathValidator {
    let trust = pki.hpkiAuthenticationTrust
    return PathValidator(trust: trust, crls: try store(&pki, .hpki, trust), requirements: requirements)
}

private func jpki(
    _ pki: inout DevelopmentPKI, requirements: PathRequirements = .jpkiAuthentication
) throws -> PathValidator {
    let trust = pki.jpkiAuthenticationTrust
    return PathValidator(trust: trust, crls: try store(&pki, .jpki, trust), requirements: requirements)
}

@Suite struct `Cards for logging in` {
    @Test func `an HPKI card of either generation has a path by its key identifier`() async throws {
        var (pki, key) = try await shared.value
        for authority in DevelopmentPKI.Authority.allCases {
            var subjects: Set<DistinguishedName> = []
            for generation in DevelopmentPKI.Generation.allCases {
                let card = try pki.issueAuthentication(
                    doctor, publicKey: key.subjectPublicKeyInfo, by: authority, generation: generation, now: now)
                let issuer = try pki.certificate(of: CardIssuer(.hpki(authority), generation))
                let holder = try hpki(&pki).judge(card, at: now).holder()
                #expect(holder.authority == issuer)
                #expect(holder.chain.last == pki.root)
                #expect(holder.roles == [.medicalDoctor])
                #expect(card.keyUsage == .digitalSignature)
                #expect(card.policies == ["1.2.392.100495.1.5.1.2.0.1"])
                #expect(card.extensions.extendedKeyUsages == [OID.clientAuth])
                #expect(card.subject.text.contains("doctor-1"))
                #expect(issuer.policies == ["1.2.392.100495.1.5.1.2.3.1"])
                #expect(issuer.subject.text.contains(DevelopmentPKI.mark))
                #expect(issuer.subject.text.contains("forAuthentication-forIndividual"))
                subjects.insert(issuer.subject)
            }
            #expect(subjects.count == 1)
        }
    }

    @Test func `a My Number card of either generation has a path by its key identifier, and names nobody`() async throws
    {
        var (pki, key) = try await shared.value
        let random = Counting().random
        var serials: Set<[UInt8]> = []
        var names: Set<DistinguishedName> = []
        for generation in DevelopmentPKI.Generation.allCases {
            let issuer = try pki.certificate(of: CardIssuer(.jpki, generation))
            #expect(issuer.isSelfIssued && issuer.isCA)
            #expect(issuer.subject.text.contains(DevelopmentPKI.mark))
            for _ in 0..<3 {
                let card = try pki.issueJPKI(
                    publicKey: key.subjectPublicKeyInfo, generation: generation, random: random, now: now)
                let holder = try jpki(&pki).judge(card, at: now).holder()
                #expect(holder.chain == [card, issuer])
                #expect(card.roles.isEmpty && card.extensions.alternativeNames.isEmpty)
                #expect(card.policies == ["1.2.392.200149.8.5.1.3.30"] && card.keyUsage == .digitalSignature)
                let name = try #require(card.commonName)
                #expect(name.wholeMatch(of: /[0-9]{2}[0-9A-F]{10}[A-Z]{2}[0-9]{8}[A-Z]/) != nil, "\(name)")
                #expect(card.subject.text.count < 40, "\(card.subject.text)")
                #expect(card.serialNumber.count == 16)
                serials.insert(card.serialNumber)
                names.insert(issuer.subject)
            }
        }
        #expect(serials.count == 6 && names.count == 1)
    }

    @Test func `a generation that is not trusted leaves its cards without a path, and only those`() async throws {
        var (pki, key) = try await shared.value
        let random = Counting().random
        let full = pki.jpkiAuthenticationTrust
        for kept in DevelopmentPKI.Generation.allCases {
            let anchor = try pki.certificate(of: CardIssuer(.jpki, kept))
            let validator = PathValidator(
                trust: TrustStore(anchors: [anchor]), crls: try store(&pki, .jpki, full),
                requirements: .jpkiAuthentication)
            for generation in DevelopmentPKI.Generation.allCases {
                let card = try pki.issueJPKI(
                    publicKey: key.subjectPublicKeyInfo, generation: generation, random: random, now: now)
                #expect((validator.judge(card, at: now).fault == nil) == (generation == kept))
            }
        }
    }

    @Test func `a revoked card is refused, and no other`() async throws {
        var (pki, key) = try await shared.value
        let random = Counting().random
        for generation in DevelopmentPKI.Generation.allCases {
            let good = try pki.issueAuthentication(
                doctor, publicKey: key.subjectPublicKeyInfo, by: .jma, generation: generation, now: now)
            let bad = try pki.issueAuthentication(
                doctor, publicKey: key.subjectPublicKeyInfo, by: .jma, generation: generation, now: now)
            try pki.revokeCard(bad, reason: .keyCompromise, at: now.adding(seconds: -60))
            #expect(throws: DevelopmentPKIError.unknownSerial) { try pki.revokeCard(bad, reason: nil, at: now) }
            #expect(try hpki(&pki).judge(good, at: now).fault == nil)
            let first = try hpki(&pki).judge(bad, at: now)
            guard case .failed(.revoked) = first else {
                Issue.record("a revoked HPKI card: \(String(describing: first.fault))")
                return
            }
            let mine = try pki.issueJPKI(
                publicKey: key.subjectPublicKeyInfo, generation: generation, random: random, now: now)
            let lost = try pki.issueJPKI(
                publicKey: key.subjectPublicKeyInfo, generation: generation, random: random, now: now)
            try pki.revokeCard(lost, reason: nil, at: now.adding(seconds: -60))
            #expect(throws: DevelopmentPKIError.unknownSerial) { try pki.revokeCard(lost, reason: nil, at: now) }
            #expect(try jpki(&pki).judge(mine, at: now).fault == nil)
            let second = try jpki(&pki).judge(lost, at: now)
            guard case .failed(.revoked) = second else {
                Issue.record("a revoked My Number card: \(String(describing: second.fault))")
                return
            }
        }
        // Never issued: signed over a template, with a serial number that no book has.
        let template = try pki.jpkiTemplate(publicKey: key.subjectPublicKeyInfo, random: random, now: now)
        let unknown = try HPKICertificate(der: template.signed(by: pki.key(of: CardIssuer(.jpki, .new))))
        #expect(throws: DevelopmentPKIError.unknownSerial) { try pki.revokeCard(unknown, reason: nil, at: now) }
        #expect(throws: DevelopmentPKIError.unknownSerial) { try pki.revokeCard(pki.root, reason: nil, at: now) }
    }

    @Test func `cards are refused when expired, of another policy or use, or by another key`() async throws {
        var (pki, key) = try await shared.value
        let random = Counting().random
        let spki = key.subjectPublicKeyInfo
        let past = now.adding(seconds: -6 * 366 * 86_400)
        let lateHPKI = try pki.issueAuthentication(doctor, publicKey: spki, by: .jpa, generation: .old, now: past)
        let lateJPKI = try pki.issueJPKI(publicKey: spki, generation: .old, random: random, now: past)
        let faults = [try hpki(&pki).judge(lateHPKI, at: now).fault, try jpki(&pki).judge(lateJPKI, at: now).fault]
        for fault in faults {
            guard case .expired = fault else {
                Issue.record("\(faults)")
                return
            }
        }
        // A signing certificate is no card for logging in, nor a card of one kind one of the other.
        let signing = try pki.issue(doctor, publicKey: spki, by: .jma, now: now)
        let hpkiCard = try pki.issueAuthentication(doctor, publicKey: spki, by: .jma, now: now)
        let jpkiCard = try pki.issueJPKI(publicKey: spki, random: random, now: now)
        #expect(try hpki(&pki).judge(signing, at: now).fault != nil)
        #expect(try hpki(&pki).judge(jpkiCard, at: now).fault != nil)
        #expect(try jpki(&pki).judge(hpkiCard, at: now).fault != nil)
        #expect(try jpki(&pki, requirements: .hpkiAuthentication).judge(jpkiCard, at: now).fault != nil)
        var other = PathRequirements.hpkiAuthentication
        other.acceptablePolicies = ["1.2.392.100495.1.5.1.2.0.2"]
        #expect(try hpki(&pki, requirements: other).judge(hpkiCard, at: now).fault != nil)
        var template = try pki.authenticationTemplate(doctor, publicKey: spki, by: .jma, now: now)
        let issuer = try pki.key(of: CardIssuer(.hpki(.jma), .new))
        let whole = template.extensions
        func fault(_ index: Int, _ replacement: [UInt8]?, by key: DevelopmentKey) throws -> PathFault? {
            template.extensions = whole
            if let replacement { template.extensions[index] = replacement }
            return try hpki(&pki).judge(HPKICertificate(der: template.signed(by: key)), at: now).fault
        }
        #expect(try fault(2, nil, by: issuer) == nil)
        #expect(try fault(2, Extensions.keyUsage([.digitalSignature, .nonRepudiation]), by: issuer) != nil)
        #expect(try fault(2, Extensions.keyUsage(.nonRepudiation), by: issuer) != nil)
        #expect(
            try fault(whole.count - 1, Extensions.policy(OID.hpkiSigningPolicy, statement: "http://x"), by: issuer)
                != nil)
        let old = try pki.key(of: CardIssuer(.hpki(.jma), .old))
        #expect(try fault(2, nil, by: old) != nil)
    }

    @Test func `the list of an authority's other key hides nothing, nor holds for a list that is stale`() async throws {
        var (pki, key) = try await shared.value
        let card = try pki.issueAuthentication(
            doctor, publicKey: key.subjectPublicKeyInfo, by: .jpa, generation: .old, now: now)
        let trust = pki.hpkiAuthenticationTrust
        let before = now.adding(seconds: -97 * 3600)
        var crls = try pki.lists(now: before)[.hpki, default: [:]].filter { $0.key.contains("jpa-old") }
        let fresh = try pki.lists(now: now)[.hpki, default: [:]].filter { !$0.key.contains("jpa-old") }
        crls.merge(fresh) { $1 }
        let store = try crls.values.reduce(CRLStore()) {
            try $0.adding($1, issuers: trust.anchors + trust.intermediates)
        }
        let judgement = PathValidator(trust: trust, crls: store, requirements: .hpkiAuthentication).judge(card, at: now)
        guard case .indeterminate(.crlStale) = judgement else {
            Issue.record("\(String(describing: judgement.fault))")
            return
        }
    }

    @Test func `without its authority's list a card is neither good nor bad`() async throws {
        var (pki, key) = try await shared.value
        let card = try pki.issueJPKI(publicKey: key.subjectPublicKeyInfo, random: Counting().random, now: now)
        let bare = PathValidator(
            trust: pki.jpkiAuthenticationTrust, crls: CRLStore(), requirements: .jpkiAuthentication)
        guard case .indeterminate = bare.judge(card, at: now) else {
            Issue.record("judged without a list")
            return
        }
        // The old key's list says nothing of the new key's cards, though the name is the same.
        let lists = try pki.lists(now: now)[.jpki] ?? [:]
        #expect(lists.keys.sorted() == ["development-jpki-new.crl", "development-jpki-old.crl"])
        let old = try CRLStore().adding(
            try #require(lists["development-jpki-old.crl"]), issuers: pki.jpkiAuthenticationTrust.anchors)
        let half = PathValidator(
            trust: pki.jpkiAuthenticationTrust, crls: old, requirements: .jpkiAuthentication)
        guard case .indeterminate = half.judge(card, at: now) else {
            Issue.record("judged by the other key's list")
            return
        }
    }

    @Test func `a state from before there were cards is read, and one with cards carries on`() async throws {
        let plain = try DevelopmentPKI.create(random: Counting().random, now: now)
        var older = try DevelopmentPKI(restoring: try plain.serialized())
        #expect(!older.hasAuthentication)
        #expect(Set(try older.lists(now: now).keys) == [.signing])
        #expect(throws: DevelopmentPKIError.unreadableState) {
            try older.issueJPKI(publicKey: plain.rootKey.subjectPublicKeyInfo, random: Counting().random, now: now)
        }
        var (pki, key) = try await shared.value
        let card = try pki.issueJPKI(publicKey: key.subjectPublicKeyInfo, random: Counting().random, now: now)
        let first = try pki.issueAuthentication(doctor, publicKey: key.subjectPublicKeyInfo, by: .medis, now: now)
        let state = try pki.serialized()
        var restored = try DevelopmentPKI(restoring: state)
        #expect(restored.hasAuthentication)
        #expect(try restored.serialized() == state)
        try restored.revokeCard(card, reason: nil, at: now)
        try restored.revokeCard(first, reason: nil, at: now)
        let next = try restored.issueAuthentication(
            doctor, publicKey: key.subjectPublicKeyInfo, by: .medis, now: now)
        #expect((first.serialHex, next.serialHex) == ("2711", "2712"))
        let before = try restored.certificate(of: CardIssuer(.jpki, .new))
        try await restored.addAuthentication(random: Counting().random, now: now)
        #expect(try restored.certificate(of: CardIssuer(.jpki, .new)) == before)
    }

    @Test func `openssl agrees on good, revoked and expired cards`() async throws {
        var (pki, key) = try await shared.value
        let random = Counting().random
        let spki = key.subjectPublicKeyInfo
        let past = now.adding(seconds: -6 * 366 * 86_400)
        for generation in DevelopmentPKI.Generation.allCases {
            let good = try pki.issueAuthentication(
                doctor, publicKey: spki, by: .medis, generation: generation, now: now)
            let bad = try pki.issueAuthentication(
                doctor, publicKey: spki, by: .medis, generation: generation, now: now)
            let late = try pki.issueAuthentication(
                doctor, publicKey: spki, by: .medis, generation: generation, now: past)
            try pki.revokeCard(bad, reason: .keyCompromise, at: now.adding(seconds: -60))
            let own = try pki.issueJPKI(publicKey: spki, generation: generation, random: random, now: now)
            let lost = try pki.issueJPKI(publicKey: spki, generation: generation, random: random, now: now)
            try pki.revokeCard(lost, reason: .keyCompromise, at: now.adding(seconds: -60))
            let lists = try pki.lists(now: now.adding(seconds: -30))
            let hpkiTrust = pki.hpkiAuthenticationTrust
            // openssl takes a CRL by name and key, so that both generations' stand in one file.
            try openssl(
                anchors: hpkiTrust.anchors, intermediates: hpkiTrust.intermediates, lists[.hpki] ?? [:],
                [("good", good, nil), ("bad", bad, "certificate revoked"), ("late", late, "certificate has expired")])
            try openssl(
                anchors: pki.jpkiAuthenticationTrust.anchors, intermediates: [], lists[.jpki] ?? [:],
                [("own", own, nil), ("lost", lost, "certificate revoked")])
        }
    }

    /// Has openssl verify each certificate as a TLS client's, and compares what it says.
    private func openssl(
        anchors: [HPKICertificate], intermediates: [HPKICertificate], _ lists: [String: [UInt8]],
        _ cases: [(name: String, certificate: HPKICertificate, complaint: String?)]
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cards-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ text: String, _ name: String) throws -> String {
            let place = folder.appendingPathComponent(name)
            try Data(text.utf8).write(to: place)
            return place.path
        }
        let arguments = [
            "verify", "-x509_strict", "-extended_crl", "-crl_check_all", "-purpose", "sslclient", "-attime",
            "\(now.seconds)", "-CAfile", try write(anchors.map(\.pem).joined(), "anchors.pem"), "-CRLfile",
            try write(lists.values.map { PEM.encode($0, label: PEM.crlLabel) }.joined(), "lists.pem"),
        ]
        let between =
            intermediates.isEmpty
            ? [] : ["-untrusted", try write(intermediates.map(\.pem).joined(), "intermediates.pem")]
        for item in cases {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = arguments + between + [try write(item.certificate.pem, "\(item.name).pem")]
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = pipe
            try process.run()
            let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect((process.terminationStatus == 0) == (item.complaint == nil), "\(item.name): \(text)")
            if let complaint = item.complaint { #expect(text.contains(complaint), "\(item.name): \(text)") }
        }
    }
}

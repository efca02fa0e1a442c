import Certificates
import Development
import Foundation
import HPKI
import Testing

@Suite struct RevocationTests {
    private func list(
        _ pki: DevelopmentPKI, number: UInt64? = 1, at: Instant = noon, entries: [CertificateRevocationList.Entry] = [],
        extra: [[UInt8]] = [], key: DevelopmentKey? = nil
    ) throws -> [UInt8] {
        let issuer = try pki.certificate(of: .jpa)
        let template = RevocationListTemplate(
            issuer: issuer.subject.der, thisUpdate: at, nextUpdate: at.adding(seconds: 96 * 3600), entries: entries,
            extensions: [Extensions.authorityKeyIdentifier(of: issuer)]
                + (number.map { [Extensions.crlNumber($0)] } ?? []) + extra)
        return try template.signed(by: try key ?? pki.key(of: .jpa))
    }

    private func holder() throws -> HPKICertificate {
        var pki = try Shared.pki.get()
        return try pki.issue(
            doctor, publicKey: try Shared.holderKey.get().subjectPublicKeyInfo, by: .jpa, now: noon)
    }

    @Test func `every serial of a large unsorted list is found, and no other`() throws {
        let pki = try Shared.pki.get()
        var random = Seeded(7)
        var serials: Set<UInt64> = []
        while serials.count < 3000 { serials.insert(random.next() >> UInt64(8 + random.below(40)) | 1) }
        let reasons = RevocationReason.allCases
        let shared: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        let entries = serials.enumerated().map { index, serial in
            CertificateRevocationList.Entry(
                serialNumber: (index % 2 == 0 ? [] : shared) + DER.integer(serial).dropFirst(2),
                revokedAt: noon.adding(seconds: Int64(index)),
                reason: index % 3 == 0 ? nil : reasons[index % reasons.count])
        }
        let read = try CertificateRevocationList(der: try list(pki, entries: entries))
        #expect(read.count == 3000)
        for entry in entries { #expect(read.entry(for: entry.serialNumber) == entry) }
        for _ in 0..<3000 {
            let serial = random.next() >> 20 & ~1
            #expect(!read.isRevoked(Array(DER.integer(serial).dropFirst(2))))
            #expect(!read.isRevoked(shared + DER.integer(serial).dropFirst(2)))
        }
    }

    @Test func `a newer list replaces an older one, never the reverse`() throws {
        let pki = try Shared.pki.get()
        let issuer = try pki.certificate(of: .jpa)
        let holder = try holder()
        let first = try CRLStore().adding(try list(pki, number: 255), issuers: [issuer])
        let second = try first.adding(try list(pki, number: 256, at: noon.adding(seconds: -60)), issuers: [issuer])
        #expect(second.current(for: holder, issuedBy: issuer)?.number == [1, 0])
        let third = try second.adding(try list(pki, number: 9, at: noon.adding(seconds: 60)), issuers: [issuer])
        #expect(third.current(for: holder, issuedBy: issuer)?.number == [1, 0])
        let same = try third.adding(try list(pki, number: 256, at: noon.adding(seconds: 60)), issuers: [issuer])
        #expect(same.current(for: holder, issuedBy: issuer)?.thisUpdate == noon.adding(seconds: 60))
        #expect(same.all.count == 1)
    }

    @Test func `a list signed by another key, or of an unknown issuer, is refused`() throws {
        let pki = try Shared.pki.get()
        let issuer = try pki.certificate(of: .jpa)
        let forged = try list(pki, key: try Shared.otherKey.get())
        #expect(throws: CRLError.badSignature(.mismatch)) { _ = try CRLStore().adding(forged, issuers: [issuer]) }
        let good = try list(pki)
        #expect(throws: CRLError.unknownIssuer(issuer.subject.text)) {
            _ = try CRLStore().adding(good, issuers: [try pki.certificate(of: .jma), pki.root])
        }
    }

    @Test func `lists for attribute certificates, for nobody or with unknown critical extensions are refused`() throws {
        let pki = try Shared.pki.get()
        #expect(throws: CRLError.unknownCriticalExtension("1.2.3.4")) {
            _ = try CertificateRevocationList(
                der: try list(pki, extra: [Extensions.critical("1.2.3.4", DER.integer(1))]))
        }
        for flags: [UInt8] in [[5], [1, 2]] {
            let place = DER.sequence(of: flags.map { DER.value(.contextPrimitive($0), [0xFF]) })
            #expect(throws: CRLError.unsupportedScope) {
                _ = try CertificateRevocationList(
                    der: try list(pki, extra: [Extensions.critical(OID.issuingDistributionPoint, place)]))
            }
        }
    }

    @Test func `a list for some reasons, of changes, or of several authorities does not speak alone`() throws {
        let pki = try Shared.pki.get()
        let issuer = try pki.certificate(of: .jpa)
        let some = DER.sequence(DER.value(.contextPrimitive(3), [0x06, 0x40]))
        for scope in [
            Extensions.critical(OID.issuingDistributionPoint, some),
            Extensions.critical(OID.deltaCRLIndicator, DER.integer(1)),
        ] {
            let store = try CRLStore().adding(try list(pki, extra: [scope]), issuers: [issuer])
            #expect(store.all.count == 1)
            #expect(store.current(for: try holder(), issuedBy: issuer) == nil)
        }
    }

    @Test func `a list for authorities does not speak for holders`() throws {
        let pki = try Shared.pki.get()
        let issuer = try pki.certificate(of: .jpa)
        let scope = Extensions.critical(
            OID.issuingDistributionPoint, DER.sequence(DER.value(.contextPrimitive(2), [0xFF])))
        let store = try CRLStore().adding(try list(pki, extra: [scope]), issuers: [issuer])
        let holder = try holder()
        #expect(store.current(for: issuer, issuedBy: issuer) != nil)
        #expect(store.current(for: holder, issuedBy: issuer) == nil)
    }

    @Test func `a root's two lists stand side by side, each for its own certificates`() throws {
        var pki = try Shared.pki.get()
        var store = CRLStore()
        let lists = try pki.crls(now: noon)
        for name in ["development-root-sarl.crl", "development-root-rarl.crl"] {
            store = try store.adding(try #require(lists[name]), issuers: [pki.root])
        }
        let authority = try pki.certificate(of: .jpa)
        #expect(store.current(for: authority, issuedBy: pki.root)?.der == lists["development-root-sarl.crl"])
        #expect(store.current(for: pki.root, issuedBy: pki.root)?.der == lists["development-root-rarl.crl"])
    }

    @Test func `a trust folder is read, and a broken file is named`() throws {
        var pki = try Shared.pki.get()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("trust-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["anchors", "intermediates", "crls"] {
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        func write(_ bytes: [UInt8], _ name: String) throws {
            try Data(bytes).write(to: folder.appendingPathComponent(name))
        }
        try write(Array(pki.root.pem.utf8), "anchors/root.pem")
        let both = try pki.certificate(of: .jma).pem + pki.certificate(of: .medis).pem
        try write(Array(both.utf8), "intermediates/both.pem")
        try write(try pki.certificate(of: .jpa).der, "intermediates/jpa.der")
        for (name, list) in try pki.crls(now: noon) {
            let isPEM = name.contains("jma")
            try write(isPEM ? Array(PEM.encode(list, label: PEM.crlLabel).utf8) : list, "crls/\(name)")
        }
        let trust = try TrustStore.load(folder: folder.path)
        #expect(trust.anchors == [pki.root])
        #expect(Set(trust.intermediates) == Set(pki.trustStore.intermediates))
        #expect(try CRLStore.load(folder: folder.path + "/crls", trust: trust).all.count == 5)

        try write([0x30, 0x00], "crls/broken.crl")
        let path = folder.path + "/crls/broken.crl"
        #expect(throws: TrustStoreError.unusableCRL(path, .malformed(.truncated, field: "tbsCertList"))) {
            _ = try CRLStore.load(folder: folder.path + "/crls", trust: trust)
        }
        try write(Array("nothing".utf8), "anchors/text.pem")
        #expect(throws: TrustStoreError.notCertificates(folder.path + "/anchors/text.pem", .invalidPEM)) {
            _ = try TrustStore.load(folder: folder.path)
        }
        #expect(throws: TrustStoreError.unreadableFolder("/nowhere/anchors")) {
            _ = try TrustStore.load(folder: "/nowhere")
        }
    }

    @Test func `a list tells which of many certificates it revokes, by issuer and serial number`() throws {
        var pki = try Shared.pki.get()
        let key = try Shared.holderKey.get().subjectPublicKeyInfo
        let first = try pki.issue(doctor, publicKey: key, by: .medis, now: noon)
        let second = try pki.issue(doctor, publicKey: key, by: .medis, now: noon)
        let other = try pki.issue(doctor, publicKey: key, by: .jma, now: noon)
        #expect(first.serialNumber == other.serialNumber)
        try pki.revoke(serial: first.serialNumber, of: .medis, reason: .certificateHold, at: noon)
        let lists = try pki.crls(now: noon)
        let list = try CertificateRevocationList(der: try #require(lists["development-medis.crl"]))
        let named = [first, second, other].enumerated().map { index, certificate in
            (id: index, issuer: certificate.issuer, serialNumber: certificate.serialNumber)
        }
        let found = list.revoked(among: named)
        #expect(found.map(\.id) == [0])
        #expect(found.first?.entry.reason == .certificateHold)
        #expect(Array(list.entries) == found.map(\.entry))
        let empty = try CertificateRevocationList(der: try #require(lists["development-jma.crl"]))
        #expect(empty.revoked(among: named).isEmpty && Array(empty.entries).isEmpty)
    }
}

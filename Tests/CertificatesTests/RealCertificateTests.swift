import Certificates
import Foundation
import HPKI
import Testing

/// The certificates and CRLs inside the published sample prescriptions, read as strangers' bytes.
@Suite struct RealCertificateTests {
    private func sample(_ name: String, _ test: String) -> String? {
        vectors(test).map { "\($0)/e-prescription/\(name)" }
    }

    @Test func `the prescriber's certificate has the published facts`() throws {
        guard let path = sample("Prescription-004_01.xml", #function) else { return }
        let certificates = try base64Elements("X509Certificate", in: path).map { try HPKICertificate(der: $0) }
        let certificate = try #require(certificates.first { !$0.roles.isEmpty })
        #expect(certificate.serialHex == "015e")
        #expect(certificate.commonName == "Sanjushi Kagurazaka")
        #expect(certificate.subject.first(OID.serialNumber) == "Test117120")
        #expect(
            certificate.issuer.text
                == "C=JP, O=MEDIS, OU=MEDIS HPKI CA, CN=HPKI-01-MedisSignCA2-forNonRepudiation")
        #expect(certificate.notBefore.rfc3339 == "2022-02-06T15:00:00Z")
        #expect(certificate.notAfter.rfc3339 == "2027-02-07T14:59:59Z")
        #expect(certificate.keyUsage == .nonRepudiation)
        #expect(certificate.policies == ["1.2.392.100495.1.5.1.1.0.1"])
        #expect(certificate.roles == [.medicalDoctor])
        #expect(certificate.crlDistributionPoints == ["http://cert.medis.or.jp/sign/crl-sign2.crl"])
        #expect(certificate.authorityKeyIdentifier == Hex.decode("9DD6135245EFBD5E7852C8588E78BC541E3F96E6"))
        #expect(certificate.publicKey.kind == .rsa(bits: 2048))
        #expect(certificate.publicKey.keyIdentifier == certificate.subjectKeyIdentifier)
        #expect(certificate.japaneseName?.isEmpty == false)
        #expect(!certificate.isCA)
        #expect(certificate.unknownCriticalExtensions.isEmpty)
    }

    @Test func `the pharmacist's certificate has the pharmacist's role`() throws {
        guard let path = sample("Dispensing-005_03.xml", #function) else { return }
        let certificates = try base64Elements("X509Certificate", in: path).map { try HPKICertificate(der: $0) }
        let pharmacist = try #require(certificates.first { $0.roles == [.pharmacist] })
        #expect(pharmacist.serialHex == "0164")
        #expect(certificates.contains { $0.roles == [.medicalDoctor] })
    }

    @Test func `the sample's own chain and lists judge its certificate`() throws {
        guard let path = sample("Prescription-004_01.xml", #function) else { return }
        let all = try base64Elements("X509Certificate", in: path).map { try HPKICertificate(der: $0) }
        let leaf = try #require(all.first { !$0.roles.isEmpty })
        let root = try #require(all.first { $0.isSelfIssued && $0.isCA })
        let authority = try #require(all.first { $0.isCA && !$0.isSelfIssued })
        #expect(authority.policies == ["1.2.392.100495.1.5.1.1.3.1"])
        let trust = TrustStore(anchors: [root], intermediates: [authority])
        var store = CRLStore()
        var scopes: [CertificateRevocationList.Scope] = []
        for der in try base64Elements("EncapsulatedCRLValue", in: path) {
            let list = try CertificateRevocationList(der: der)
            guard list.issuer == root.subject || list.issuer == authority.subject else { continue }
            scopes.append(list.scope)
            store = try store.adding(list, issuers: [root, authority])
        }
        #expect(scopes.sorted { "\($0)" < "\($1)" } == [.all, .caCertificates])
        let validator = PathValidator(trust: trust, crls: store)
        let signed = try #require(Instant(year: 2022, month: 9, day: 7, hour: 8))
        let holder = try validator.judge(leaf, at: signed).holder()
        #expect(holder.chain == [leaf, authority, root])
        #expect(holder.roles == [.medicalDoctor])
        let later = try #require(Instant(year: 2022, month: 9, day: 12))
        guard case .indeterminate(.crlStale) = validator.judge(leaf, at: later) else {
            Issue.record("the lists of September 2022 are stale five days later")
            return
        }
    }

    @Test func `the authority's embedded list has its entries`() throws {
        guard let path = sample("Prescription-004_01.xml", #function) else { return }
        let lists = try base64Elements("EncapsulatedCRLValue", in: path).map { try CertificateRevocationList(der: $0) }
        #expect(lists.count == 3)
        let list = try #require(lists.first { $0.issuer.text.contains("MedisSignCA2") })
        #expect(list.thisUpdate.rfc3339 == "2022-09-06T18:00:00Z")
        #expect(list.nextUpdate?.rfc3339 == "2022-09-10T18:00:00Z")
        let entry = try #require(list.entry(for: [0x00, 0x9A]))
        #expect(entry.revokedAt.rfc3339 == "2017-09-20T03:17:23Z")
        #expect(entry.reason == .cessationOfOperation)
        #expect(!list.isRevoked([0x01, 0x5E]))
    }
}

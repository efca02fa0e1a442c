import Certificates
import Development
import Foundation
import HPKI
import Host
import Keys
import Logging
import Storage
import Synchronization
import Testing

private let now = Instant(seconds: 1_800_000_000)
private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Suite struct CertificateWatchTests {
    private static let authorities = Task {
        try DevelopmentPKI.create(random: .live, now: now.adding(seconds: -86_400))
    }

    /// A folder of trust with the lists of `listsAt`, and a doctor's credential.
    private final class Trust: Sendable {
        let folder: String
        let pki: Mutex<DevelopmentPKI>
        let credential: Credential

        init(listsAt moment: Instant? = now.adding(seconds: -60)) async throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "shirushi-keys-\(UUID())").path()
            for name in ["anchors", "intermediates", "crls"] { try Files.makeFolder(folder + "/" + name) }
            var pki = try await CertificateWatchTests.authorities.value
            try Files.write(pki.root.der, to: folder + "/anchors/root.cer")
            for authority in DevelopmentPKI.Authority.allCases {
                try Files.write(
                    try pki.certificate(of: authority).der, to: "\(folder)/intermediates/\(authority.rawValue).cer")
            }
            let certificate = try pki.issue(
                HolderProfile(
                    romajiName: "Test Doctor", japaneseName: "試験", identifier: "doctor-1", roles: [.medicalDoctor]),
                publicKey: DevelopmentKey.p256().subjectPublicKeyInfo, by: .medis, now: now.adding(seconds: -3600))
            credential = Credential(
                id: made(CredentialID("doctor-1-a")), holder: made(HolderID("doctor-1")),
                material: .resident(keyID: [1]),
                algorithm: .ecdsaP256SHA256, certificate: certificate, state: .active)
            self.pki = Mutex(pki)
            if let moment { try publish(at: moment) }
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        func lists(at moment: Instant) throws -> [String: [UInt8]] { try pki.withLock { try $0.crls(now: moment) } }

        func publish(at moment: Instant) throws {
            for (name, list) in try lists(at: moment) { try Files.write(list, to: "\(folder)/crls/\(name)") }
        }

        func revoke() throws {
            let serial = credential.certificate.serialNumber
            try pki.withLock { try $0.revoke(serial: serial, of: .medis, reason: .superseded, at: now) }
        }

        func watch(
            sources: [String] = [], fetch: @escaping @Sendable (String) async throws -> [UInt8] = { _ in [] }
        ) throws -> CertificateWatch {
            try CertificateWatch(.init(folder: folder, sources: sources), requirements: .hpkiSigning, fetch: fetch)
        }
    }

    private func kind(_ watch: CertificateWatch, _ trust: Trust, at moment: Instant) -> Failure.Kind? {
        do throws(Failure) {
            try watch.check(trust.credential, at: moment)
            return nil
        } catch { return error.kind }
    }

    @Test func `a good certificate under a current list holds, and raises no alarm`() async throws {
        let trust = try await Trust()
        let watch = try trust.watch()
        #expect(kind(watch, trust, at: now) == nil)
        #expect(watch.alarms(at: now) == [])
    }

    @Test func `without a list nothing is known, so nothing is signed`() async throws {
        let trust = try await Trust(listsAt: nil)
        #expect(kind(try trust.watch(), trust, at: now) == .revocationUnknown)
    }

    @Test func `a list raises an alarm from 36 hours on, and stops signing past its next update`() async throws {
        let trust = try await Trust(listsAt: now)
        let watch = try trust.watch()
        #expect(watch.alarms(at: now.adding(seconds: 36 * 3600)) == [])
        let old = watch.alarms(at: now.adding(seconds: 36 * 3600 + 1))
        #expect(!old.isEmpty && old.allSatisfy { $0.contains("is older than 36 hours") })
        #expect(kind(watch, trust, at: now.adding(seconds: 96 * 3600 - 1)) == nil)
        #expect(kind(watch, trust, at: now.adding(seconds: 96 * 3600 + 1)) == .revocationUnknown)
        let past = watch.alarms(at: now.adding(seconds: 96 * 3600 + 1))
        #expect(!past.isEmpty && past.allSatisfy { $0.contains("past its next update") })
    }

    @Test func `a listed serial number stops the key from the next poll on`() async throws {
        let trust = try await Trust()
        let watch = try trust.watch()
        #expect(kind(watch, trust, at: now) == nil)
        try trust.revoke()
        try trust.publish(at: now)
        #expect(kind(watch, trust, at: now) == nil, "not read yet")
        await watch.poll(log: quiet)
        #expect(kind(watch, trust, at: now) == .credentialUnusable)
    }

    @Test func `a newer list comes from a source too, and an older one never takes its place`() async throws {
        let trust = try await Trust()
        try trust.revoke()
        let newer = try #require(try trust.lists(at: now)["development-medis.crl"])
        let watch = try trust.watch(sources: ["http://lists/medis.crl"]) { address in
            #expect(address == "http://lists/medis.crl")
            return newer
        }
        #expect(kind(watch, trust, at: now) == nil)
        await watch.poll(log: quiet)
        #expect(kind(watch, trust, at: now) == .credentialUnusable)
        // The folder still holds the older list, in which the serial number does not stand.
        await watch.poll(log: quiet)
        #expect(kind(watch, trust, at: now) == .credentialUnusable)
    }

    @Test func `what cannot be fetched or read is reported, and the known list kept`() async throws {
        let trust = try await Trust()
        let watch = try trust.watch(sources: ["http://lists/medis.crl"]) { _ in Array("<html>".utf8) }
        await watch.poll(log: quiet)
        #expect(kind(watch, trust, at: now) == nil)
        let alarms = watch.alarms(at: now)
        #expect(alarms.count == 1 && alarms[0].contains("http://lists/medis.crl"))
        try Files.write([1, 2, 3], to: trust.folder + "/crls/broken.crl")
        await watch.poll(log: quiet)
        #expect(kind(watch, trust, at: now) == nil)
        #expect(watch.alarms(at: now).count == 2)
    }

    @Test func `a certificate not valid yet or no more is not used`() async throws {
        let trust = try await Trust()
        let watch = try trust.watch()
        #expect(kind(watch, trust, at: trust.credential.certificate.notBefore.adding(seconds: -1)) != nil)
        try trust.publish(at: trust.credential.certificate.notAfter.adding(seconds: -60))
        await watch.poll(log: quiet)
        #expect(kind(watch, trust, at: trust.credential.certificate.notAfter) == nil)
        #expect(kind(watch, trust, at: trust.credential.certificate.notAfter.adding(seconds: 1)) == .credentialUnusable)
    }

    @Test func `a certificate of another authority is not used`() async throws {
        let trust = try await Trust()
        let watch = try trust.watch()
        var other = try DevelopmentPKI.create(random: .live, now: now.adding(seconds: -86_400))
        let certificate = try other.issue(
            HolderProfile(romajiName: "X", japaneseName: "試験", identifier: "x", roles: [.medicalDoctor]),
            publicKey: DevelopmentKey.p256().subjectPublicKeyInfo, by: .medis, now: now)
        let credential = Credential(
            id: made(CredentialID("x")), holder: made(HolderID("x")), material: .resident(keyID: [9]),
            algorithm: .ecdsaP256SHA256, certificate: certificate, state: .active)
        let told = #expect(throws: Failure.self) { try watch.check(credential, at: now) }
        #expect(told?.kind == .credentialUnusable)
    }
}

/// The value of an identifier written in a test.
func made<Value>(_ value: Value?) -> Value {
    guard let value else { preconditionFailure("a test's identifier is none") }
    return value
}

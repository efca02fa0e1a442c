import Certificates
import Development
import Formats
import Foundation
import HPKI
import Testing

/// The development authority for time stamps, one request, and what a judge of the answer knows.
struct TimeStampScene {
    var pki: DevelopmentPKI
    var authority: DevelopmentTimeStampAuthority
    let request = TimeStampRequest(for: Digest(of: Array("hello".utf8)), random: Shared.fixedRandom)

    init() throws {
        pki = try Shared.pki.get()
        authority = try pki.timeStampAuthority(now: noon.adding(seconds: -86_400))
    }

    /// The authority's answer to the request.
    func answer(at instant: Instant = noon) -> [UInt8] {
        authority.answer(request.der, random: Shared.fixedRandom, now: instant)
    }

    /// A token for the request that a test may spoil.
    func template() -> TimeStampTokenTemplate {
        let nonce = DER.integer(request.nonce).dropFirst(2)
        return TimeStampTokenTemplate(
            info: authority.info(
                imprint: request.imprint, nonce: Array(nonce), random: Shared.fixedRandom, now: noon),
            certificate: authority.certificate)
    }

    /// Trust in the development root, with lists as of `listsAt`, or with none.
    mutating func requirements(
        at instant: Instant = noon, listsAt: Instant? = noon.adding(seconds: -3600)
    ) throws -> TimeStampRequirements {
        let known = pki.trustStore.intermediates + [authority.authorityCertificate]
        var store = CRLStore()
        if let listsAt {
            for list in try Array(pki.crls(now: listsAt).values) + [authority.crl(now: listsAt)] {
                store = try store.adding(list, issuers: [pki.root] + known)
            }
        }
        return TimeStampRequirements(
            trust: TrustStore(anchors: [pki.root], intermediates: known), crls: store, at: instant)
    }

    /// What judging a token for the request says.
    mutating func fault(
        _ token: [UInt8], at instant: Instant = noon, listsAt: Instant? = noon.adding(seconds: -3600),
        _ change: (inout TimeStampRequirements) -> Void = { _ in }
    ) throws -> TimeStampFault? {
        var requirements = try requirements(at: instant, listsAt: listsAt)
        change(&requirements)
        do throws(TimeStampFault) {
            return try TimeStampToken(der: token).judge(for: request.expectation, requirements).fault
        } catch {
            return error
        }
    }

    /// What judging says of a token whose signer's certificate was changed before it was issued.
    mutating func fault(certificate change: (inout CertificateTemplate) -> Void) throws -> TimeStampFault? {
        let key = DevelopmentKey.p256()
        var certificate = try authority.template(key, now: noon.adding(seconds: -86_400))
        change(&certificate)
        let read = try HPKICertificate(der: try certificate.signed(by: authority.authorityKey))
        return try fault(TimeStampTokenTemplate(info: template().content, certificate: read).signed(by: key))
    }
}

/// Runs openssl, the foreign authority and reader, in a folder with these files; gives its output, or nil on failure.
func openssl(_ arguments: [String], in folder: URL) throws -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
    process.currentDirectoryURL = folder
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
}

import Certificates
import Foundation
import HPKI
import Testing

/// The certificates of OpenSSL's test/certs, judged with the options that its tests give to `openssl verify`.
@Suite struct OpenSSLPathTests {
    private struct Case {
        let name: String
        let leaf: String
        let purpose: String
        let trusted: [String]
        let untrusted: [String]
        let options: [String]
        let isValid: Bool

        /// `leaf, purpose, trusted, untrusted, extra arguments, expected, observed, description`, tab-separated.
        init?(_ line: Substring) {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count >= 8, cells[0] != "leaf" else { return nil }
            func words(_ cell: String) -> [String] { cell.split(separator: " ").map(String.init) }
            (leaf, purpose) = (cells[0], cells[1])
            (trusted, untrusted, options) = (words(cells[2]), words(cells[3]), words(cells[4]))
            isValid = cells[5] == "ACCEPT"
            let subject = "\(cells[0]) under \(cells[2].isEmpty ? "nothing" : cells[2])"
            name = "\(cells[7]): \(subject)" + (cells[4].isEmpty ? "" : " (\(cells[4]))")
        }

        func value(of option: String) -> String? {
            options.firstIndex(of: option).flatMap { options.indices.contains($0 + 1) ? options[$0 + 1] : nil }
        }
    }

    @Test func `OpenSSL's path vectors are judged as its tests say`() throws {
        guard let folder = vectors("OpenSSL's path vectors") else { return }
        let table = try String(contentsOfFile: "\(folder)/openssl/EXPECTED_verify.tsv", encoding: .utf8)
        let cases = table.split(separator: "\n").compactMap(Case.init)
        #expect(cases.count == 162)
        var tally = try VectorTally(set: "OpenSSL path")
        for item in cases {
            let certificates = "\(folder)/openssl/test/certs"
            let files = ([item.leaf] + item.trusted + item.untrusted).map { "\(certificates)/\($0).pem" }
            if let missing = files.first(where: { !FileManager.default.fileExists(atPath: $0) }) {
                tally.skip(item.name, why: "the set has no \(URL(fileURLWithPath: missing).lastPathComponent)")
                continue
            }
            let why = refusal(of: item, in: certificates)
            tally.count(item.name, isValid: item.isValid, accepted: why == nil, why: why ?? "")
        }
        tally.finish(of: cases.count)
    }

    /// Why the certificate is not found valid, or nil where it is.
    private func refusal(of item: Case, in folder: String) -> String? {
        func read(_ names: [String]) throws -> [HPKICertificate] {
            try names.flatMap { name in
                try HPKICertificate.read(file: Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).pem"))))
            }
        }
        do {
            let trusted = try read(item.trusted)
            let others = try read(item.untrusted)
            guard let leaf = try read([item.leaf]).first else { return "no certificate" }
            // Without -partial_chain OpenSSL ends paths at self-issued certificates only.
            let isPartial = item.options.contains("-partial_chain")
            let trust = TrustStore(
                anchors: trusted.filter { isPartial || $0.isSelfIssued },
                intermediates: trusted.filter { !isPartial && !$0.isSelfIssued })
            let instant = item.value(of: "-attime").flatMap(Int64.init).map { Instant(seconds: $0) } ?? noon
            return PathValidator(trust: trust, crls: CRLStore(), requirements: requirements(of: item))
                .judge(leaf, intermediates: others, at: instant).fault?.explanation
        } catch let error as CertificateError {
            return error.explanation
        } catch {
            Issue.record("\(item.name): \(error)")
            return "unreadable"
        }
    }

    private func requirements(of item: Case) -> PathRequirements {
        var requirements = PathRequirements(
            acceptablePolicies: [], keyUsage: [], keyUsageIsExact: false, revocation: .notChecked)
        requirements.mayBeAuthority = true
        requirements.keyUsageMayBeAbsent = true
        switch item.purpose {
        case "sslserver": requirements.extendedKeyUsage = OID.serverAuth
        case "sslclient": requirements.extendedKeyUsage = OID.clientAuth
        default: break
        }
        // The depth counts the certificates between the holder's and the anchor.
        if let depth = item.value(of: "-verify_depth").flatMap(Int.init) { requirements.maximumPathLength = depth + 2 }
        // 128 bits of security are RSA of 3072; all that is below level 3 is below what this project reads.
        if item.value(of: "-auth_level") == "3" { requirements.minimumModulusBits = 3072 }
        if let policy = item.value(of: "-policy") { requirements.policies.initialPolicies = [policy] }
        requirements.policies.requiresExplicitPolicy = item.options.contains("-explicit_policy")
        return requirements
    }
}

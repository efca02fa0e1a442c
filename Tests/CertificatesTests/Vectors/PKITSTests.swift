import Certificates
import Foundation
import HPKI
import Testing

/// NIST's Public Key Interoperability Test Suite: RFC 5280's path validation clause by clause.
@Suite struct PKITSTests {
    private struct Case: Decodable {
        struct Inputs: Decodable {
            var userInitialPolicySet: Set<String>?
            var initialExplicitPolicy: Bool?
            var initialPolicyMappingInhibit: Bool?
            var initialAnyPolicyInhibit: Bool?
        }
        struct Refusal: Decodable {}

        var id: String
        var name: String
        var cert: String
        var otherCerts: [String]?
        var crls: [String]?
        var params: Inputs?
        /// Present where the path must be refused.
        var error: Refusal?
    }

    @Test func `PKITS is judged as its authors say`() throws {
        guard let folder = vectors("PKITS") else { return }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let cases = try decoder.decode(
            [Case].self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/pkits/pkits.json")))
        var tally = try VectorTally(set: "PKITS")
        for item in cases {
            let fault = try refusal(of: item, in: "\(folder)/pkits/rev2011")
            tally.count(
                "\(item.id) \(item.name)", isValid: item.error == nil, accepted: fault == nil, why: fault ?? "")
        }
        tally.finish(of: cases.count)
    }

    /// Why the certificate is not found valid, or nil where it is.
    private func refusal(of item: Case, in folder: String) throws -> String? {
        func bytes(_ path: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)")))
        }
        let root = try HPKICertificate(der: try bytes("certs/TrustAnchorRootCertificate.crt"))
        var others: [HPKICertificate] = []
        for name in item.otherCerts ?? [] {
            // What cannot be read cannot be part of a path.
            if let other = try? HPKICertificate(der: try bytes("certs/\(name)")) { others.append(other) }
        }
        var lists = CRLStore()
        for name in ["TrustAnchorRootCRL.crl"] + (item.crls ?? []) {
            let der = try bytes("crls/\(name)")
            // A list that is refused is not at hand.
            if let more = try? lists.adding(der, issuers: [root] + others) { lists = more }
        }
        let leaf: HPKICertificate
        do throws(CertificateError) {
            leaf = try HPKICertificate(der: (try? bytes("certs/\(item.cert)")) ?? [])
        } catch {
            return error.explanation
        }
        var requirements = PathRequirements(acceptablePolicies: [], keyUsage: [], keyUsageIsExact: false)
        requirements.maximumPathLength = 10
        requirements.mayBeAuthority = true
        requirements.keyUsageMayBeAbsent = true
        requirements.policies = PolicyInputs(
            initialPolicies: item.params?.userInitialPolicySet,
            requiresExplicitPolicy: item.params?.initialExplicitPolicy ?? false,
            inhibitsMapping: item.params?.initialPolicyMappingInhibit ?? false,
            inhibitsAnyPolicy: item.params?.initialAnyPolicyInhibit ?? false)
        let trust = TrustStore(anchors: [root], intermediates: others)
        return PathValidator(trust: trust, crls: lists, requirements: requirements).judge(leaf, at: noon)
            .fault?.explanation
    }
}

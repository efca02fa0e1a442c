import Certificates
import Development
import Foundation
import HPKI
import Testing

/// Foreign time stamps: those of rfc3161-client, and those that lie beside the evidence records of the BSI.
@Suite struct TimeStampVectorTests {
    private struct Case {
        let file: String
        /// The name of the file with authorities and the signer, beside the response.
        var chain = "ts_chain.pem"
        var data = Array("hello".utf8)
        var algorithm = DigestAlgorithm.sha512
        /// The request, where the nonce is to be compared.
        var request: String?
        /// True where the moment of judgement is September 2026, not that of the time stamp.
        var isJudgedLater = false
        let isValid: Bool
    }

    private static func cases(_ folder: String) throws -> [Case] {
        let payload = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/sigstore.mock/payload")))
        return [
            Case(file: "sigstage/response-sha256.tsr", algorithm: .sha256, isValid: true),
            Case(file: "sigstage/response-sha384.tsr", algorithm: .sha384, isValid: true),
            Case(file: "sigstage/response-sha512.tsr", isValid: true),
            Case(file: "sigstage/response-no-embedded-cert.tsr", algorithm: .sha256, isValid: true),
            Case(file: "sigstage/response-invalid-signature.tsr", algorithm: .sha256, isValid: false),
            Case(
                file: "sigstore.mock/response-expired.tsr", data: payload, algorithm: .sha256, isJudgedLater: true,
                isValid: false),
            Case(file: "identrust/issue-104.tsr", isValid: true),
            Case(file: "test_tsa/response.tsr", request: "request.der", isValid: true),
            Case(file: "test_tsa/response-injected-certs.tsr", request: "request.der", isValid: true),
            Case(file: "test_tsa/other_response.tsr", request: "other_request.der", isValid: false),
        ]
    }

    @Test func `foreign time stamps are judged as their authors say`() throws {
        guard let folder = vectors("RFC 3161 vectors") else { return }
        let root = "\(folder)/rfc3161"
        var tally = try VectorTally(set: "RFC 3161")
        var seen: Set<String> = []
        for item in try Self.cases("\(root)/test/fixtures") {
            let why = try refusal(of: item, in: "\(root)/test/fixtures")
            tally.count(item.file, isValid: item.isValid, accepted: why == nil, why: why ?? "")
            seen.insert("test/fixtures/" + item.file)
        }
        // Whatever else is in the set, so that nothing is passed over in silence.
        let names = try #require(FileManager.default.enumerator(atPath: root)).compactMap { $0 as? String }.sorted()
        for name in names where !seen.contains(name) {
            let last = name.split(separator: "/").suffix(2).joined(separator: "/")
            if name.hasSuffix(".tsr") {
                // Tokens of a record that verifies, over digests that its own structure gives.
                let why = try refusalOfToken(at: "\(root)/\(name)")
                tally.count(last, isValid: true, accepted: why == nil, why: why ?? "")
            } else if name.hasSuffix(".ers") {
                tally.skip(last, why: "an evidence record (RFC 4998), which is not read here")
            } else if name.hasSuffix(".tsd.der") {
                tally.skip(last, why: "TimeStampedData (RFC 5544), which is not read here")
            } else {
                continue
            }
            seen.insert(name)
        }
        tally.finish(of: seen.count)
        #expect(seen.count == 25)
    }

    @Test func `certificates that were slipped in are not taken for the signer's`() throws {
        guard let folder = vectors("RFC 3161 vectors, injected certificates") else { return }
        let base = "\(folder)/rfc3161/test/fixtures/test_tsa"
        let whole = try response("\(base)/response.tsr").token
        let injected = try response("\(base)/response-injected-certs.tsr").token
        #expect(injected.certificates.count == 3)
        #expect(injected.certificates.contains { $0.commonName == "Spoofed TSA" })
        let item = Case(file: "response-injected-certs.tsr", isValid: true)
        let judgement = try judge(injected, item, in: base)
        #expect(try judgement.provenTime().chain.first == whole.certificates.first)
    }

    @Test func `a foreign time stamp of other data, or to another request, proves nothing`() throws {
        guard let folder = vectors("RFC 3161 vectors, other requests") else { return }
        let base = "\(folder)/rfc3161/test/fixtures"
        let token = try response("\(base)/sigstage/response-sha512.tsr").token
        let file = "sigstage/response-sha512.tsr"
        let other = Case(file: file, data: Array("hullo".utf8), isValid: false)
        #expect(try judge(token, other, in: "\(base)/sigstage").fault == .wrongImprint)
        let request = Case(file: file, request: "request.der", isValid: false)
        #expect(try judge(token, request, in: "\(base)/sigstage").fault == .wrongNonce)
        // The chain of another authority.
        let stranger = Case(file: file, isValid: false)
        #expect(try judge(token, stranger, in: "\(base)/test_tsa").fault == .certificate(.noPathToAnchor))
    }

    @Test func `the development authority answers foreign requests`() throws {
        guard let folder = vectors("RFC 3161 vectors, requests") else { return }
        let base = "\(folder)/rfc3161/test/fixtures"
        var scene = try TimeStampScene()
        let requirements = try scene.requirements()
        for name in ["sigstage/request.der", "test_tsa/request.der", "test_tsa/other_request.der"] {
            let path = "\(base)/\(name)"
            let answer = scene.authority.answer(try bytes(path), random: Shared.fixedRandom, now: noon)
            let expected = TimeStampExpectation(
                imprint: Digest(of: Array("hello".utf8), by: .sha512), nonce: try nonce(ofRequestAt: path))
            let judgement = try TimeStampResponse(der: answer).token.judge(for: expected, requirements)
            #expect(try judgement.provenTime().time == noon)
        }
    }

    /// TimeStampReq: version, messageImprint, nonce; none of the set's has a policy.
    private func nonce(ofRequestAt path: String) throws -> [UInt8] {
        var fields = try DERReader.whole(try bytes(path)[...]).children
        _ = try fields.next(.integer)
        _ = try fields.next(.sequence)
        return Array(try fields.next(.integer).contents)
    }

    private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    private func response(_ path: String) throws -> TimeStampResponse { try TimeStampResponse(der: try bytes(path)) }

    private func refusal(of item: Case, in folder: String) throws -> String? {
        let path = "\(folder)/\(item.file)"
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let der = try bytes(path)
        do throws(TimeStampFault) {
            let token = try TimeStampResponse(der: der).token
            guard let judgement = try? judge(token, item, in: directory) else { return "the chain cannot be read" }
            return judgement.fault?.explanation
        } catch {
            return error.explanation
        }
    }

    /// Why a token alone is refused: by the reader, or for want of what it is about.
    private func refusalOfToken(at path: String) throws -> String? {
        let der = try bytes(path)
        do throws(TimeStampFault) {
            _ = try TimeStampToken(der: der)
            return "its data is not known"
        } catch {
            return error.explanation
        }
    }

    /// Judged at its own time without lists, which the set lacks; anchors are what signed themselves.
    private func judge(_ token: TimeStampToken, _ item: Case, in folder: String) throws -> TimeStampJudgement {
        let chain = try HPKICertificate.read(file: try bytes("\(folder)/\(item.chain)"))
        let trust = TrustStore(
            anchors: chain.filter(\.isSelfIssued), intermediates: chain.filter { $0.isCA && !$0.isSelfIssued })
        let moment = item.isJudgedLater ? noon : token.unverifiedInfo.genTime
        var requirements = TimeStampRequirements(trust: trust, crls: CRLStore(), at: moment)
        requirements.certificates = chain.filter { !$0.isCA }
        requirements.path.revocation = .notChecked
        var expected = TimeStampExpectation(imprint: Digest(of: item.data, by: item.algorithm))
        if let request = item.request { expected.nonce = try nonce(ofRequestAt: "\(folder)/\(request)") }
        return token.judge(for: expected, requirements)
    }
}

import Certificates
import Foundation
import HPKI
import Testing

/// Real responders' answers of 2012, whole and broken, from OpenSSL's test/ocsp-tests.
///
/// All are signed over SHA-1, which is accepted here and nowhere else; the second test shows that.
@Suite struct OpenSSLOCSPTests {
    private struct Case {
        let name: String
        let response: String
        let issuer: String
        let untrusted: String
        let isValid: Bool

        /// `group, case, response, issuer, untrusted, no_cert_checks, expected, observed`, tab-separated.
        init?(_ line: Substring) {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count >= 8, cells[0] != "group" else { return nil }
            name = "\(cells[0]), \(cells[1])" + (cells[5] == "1" ? ", no checks" : "")
            (response, issuer, untrusted) = (cells[2], cells[3], cells[4])
            isValid = cells[6] == "VERIFY_OK"
        }
    }

    private func cases(_ folder: String) throws -> [Case] {
        let table = try String(contentsOfFile: "\(folder)/openssl/EXPECTED_ocsp.tsv", encoding: .utf8)
        return table.split(separator: "\n").compactMap(Case.init)
    }

    @Test func `OpenSSL's OCSP vectors are judged as its tests say`() throws {
        guard let folder = vectors("OpenSSL's OCSP vectors") else { return }
        let cases = try cases(folder)
        #expect(cases.count == 58)
        var tally = try VectorTally(set: "OpenSSL OCSP")
        for item in cases {
            let why = try refusal(of: item, in: "\(folder)/openssl/test/ocsp-tests", acceptsSHA1: true)
            tally.count(item.name, isValid: item.isValid, accepted: why == nil, why: why ?? "")
        }
        tally.finish(of: cases.count)
    }

    @Test func `no answer signed over SHA-1 counts unless asked for`() throws {
        guard let folder = vectors("OpenSSL's OCSP vectors without SHA-1") else { return }
        for item in try cases(folder) {
            #expect(try refusal(of: item, in: "\(folder)/openssl/test/ocsp-tests", acceptsSHA1: false) != nil)
        }
    }

    /// Why the response tells nothing of its certificate, or nil where it does.
    private func refusal(of item: Case, in folder: String, acceptsSHA1: Bool) throws -> String? {
        func file(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
        }
        let der = try #require(Base64.decodeIgnoringWhiteSpace(try file(item.response)))
        // D1.ors and its broken kin are about the certificate in D1_Cert_*.pem.
        let series = item.response.split(separator: ".")[0].split(separator: "_").last.map(String.init) ?? ""
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let subject = try #require(names.first { $0.hasPrefix("\(series)_Cert_") })
        let certificate = try #require(try HPKICertificate.read(file: try file(subject)).first)
        let anchor = try #require(try HPKICertificate.read(file: try file(item.issuer)).first)
        // The issuer first and those above it behind, up to the anchor; paths are judged elsewhere.
        let chain = item.untrusted.isEmpty ? [] : try HPKICertificate.read(file: try file(item.untrusted))
        for (lower, upper) in zip(chain, chain.dropFirst() + [anchor]) {
            do throws(SignatureError) {
                try lower.verifySignature(by: upper.publicKey, acceptingSHA1: acceptsSHA1)
            } catch {
                return "the issuer's certificate: \(error)"
            }
        }
        let issuer = chain.first ?? anchor
        do throws(OCSPError) {
            let response = try OCSPResponse(der: der)
            // The answers lived for days only, so each is asked about its own time.
            let moment = response.producedAt.adding(seconds: 60)
            _ = try response.verify(
                for: certificate, issuedBy: issuer, OCSPRequirements(at: moment, acceptsSHA1: acceptsSHA1))
            return nil
        } catch {
            return error.explanation
        }
    }
}

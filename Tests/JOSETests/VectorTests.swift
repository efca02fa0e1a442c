import Foundation
import HPKI
import JOSE
import Testing

@Suite struct `Foreign vectors` {
    private func json(_ path: String) throws -> [String: Any]? {
        guard let data = try vectors(path) else { return nil }
        return try JSONSerialization.jsonObject(with: data) as? [String: Any]
    }

    /// The public half of a key or key set, as JSON.
    private func publicSet(_ value: Any) throws -> [UInt8] {
        let keys = (value as? [String: Any])?["keys"] as? [[String: Any]] ?? [value as? [String: Any] ?? [:]]
        return Array(try JSONSerialization.data(withJSONObject: ["keys": keys]))
    }

    @Test func `the RFC 7520 signatures of our algorithms`() async throws {
        var checked = 0
        for name in ["4_1.rsa_v15_signature", "4_2.rsa-pss_signature", "4_3.ecdsa_signature"] {
            guard let vector = try json("jose/jws/\(name).json") else { return }
            let input = try #require(vector["input"] as? [String: Any])
            var key = try #require(input["key"] as? [String: Any])
            for member in ["d", "p", "q", "dp", "dq", "qi"] { key[member] = nil }
            let compact = try #require((vector["output"] as? [String: Any])?["compact"] as? String)
            let algorithm = try #require(input["alg"] as? String)
            let keys = try await JWKSet(try publicSet(key))
            if JWSAlgorithm(rawValue: algorithm) != nil {
                let payload = try TokenVerifier.verifiedPayload(compact, keys: keys)
                #expect(String(decoding: payload, as: UTF8.self) == input["payload"] as? String)
                checked += 1
            } else {
                #expect(throws: JOSEError.algorithmRefused(algorithm)) {
                    try TokenVerifier.verifiedPayload(compact, keys: keys)
                }
            }
        }
        print("RFC 7520: \(checked) signatures of our algorithms agree")
    }

    @Test(arguments: ["json_web_signature_test", "json_web_key_test"])
    func `Wycheproof has no token that is accepted and should not be`(name: String) async throws {
        guard let file = try json("wycheproof/testvectors_v1/\(name).json") else { return }
        var (agreed, ours, skipped, stricter) = (0, 0, 0, [Int]())
        for group in try #require(file["testGroups"] as? [[String: Any]]) {
            let key = try #require(group["public"] ?? group["private"])
            let keys = try? await JWKSet(try publicSet(key))
            for test in try #require(group["tests"] as? [[String: Any]]) {
                let number = try #require(test["tcId"] as? Int)
                let valid = test["result"] as? String == "valid"
                let compact = test["jws"] as? String ?? String(describing: test["jws"])
                let accepted = keys.map { (try? TokenVerifier.verifiedPayload(compact, keys: $0)) != nil } ?? false
                let headers = compact.split(separator: ".").first.flatMap { Base64URL.decode($0) } ?? []
                let algorithm = (try? JSONValue.read(headers))?["alg"]?.text
                if algorithm.flatMap(JWSAlgorithm.init(rawValue:)) != nil { ours += 1 }
                if accepted == valid {
                    agreed += 1
                } else if accepted {
                    Issue.record("\(name) \(number) was accepted: \(test["comment"] ?? "")")
                } else if algorithm.flatMap(JWSAlgorithm.init(rawValue:)) == nil {
                    skipped += 1
                } else {
                    stricter.append(number)
                    print("\(name) \(number) refused: \(test["comment"] ?? "") \(test["flags"] ?? "")")
                }
            }
        }
        print(
            "\(name): \(agreed) agree (\(ours) tokens of our algorithms), \(skipped) valid of other algorithms, \(stricter.count) we refuse: \(stricter)"
        )
        #expect(agreed > 10)
    }
}

import Crypto
import Foundation
import Passkeys
import Testing

@Suite("The vectors of the W3C")
struct VectorTests {
    private struct File: Decodable {
        struct Vector: Decodable {
            let name: String
            let reg: [String: String]
            let auth: [String: String]
        }
        let vectors: [Vector]
    }

    /// Whose algorithms are not offered here.
    private static let others: [String: Int64] = ["packed-es512": -36, "packed-ed448": -53]

    @Test("each registration is read, and its key verifies its assertion")
    func all() throws {
        guard let root = ProcessInfo.processInfo.environment["SHIRUSHI_VECTORS"] else {
            print("left out, SHIRUSHI_VECTORS is not set: webauthn")
            return
        }
        let file = URL(filePath: root).appending(path: "webauthn/w3c_l3_vectors.json")
        let vectors = try JSONDecoder().decode(File.self, from: Data(contentsOf: file)).vectors
        #expect(vectors.count == 15)
        var judged = 0
        for vector in vectors {
            let object = try CBORReader.value(bytes(vector.reg["attestationObject"]))
            let data = try #require(object["authData"]?.bytes, "\(vector.name)")
            if let number = Self.others.first(where: { vector.name.lowercased().contains($0.key) })?.value {
                #expect(throws: PasskeyError.algorithm(number), "\(vector.name)") { try AuthenticatorData(data) }
                continue
            }
            let made = try AuthenticatorData(data)
            let credential = try #require(made.credential, "\(vector.name)")
            #expect(credential.credentialID == (try bytes(vector.reg["credential_id"])), "\(vector.name)")
            let used = try AuthenticatorData(bytes(vector.auth["authenticatorData"]))
            #expect(used.rpIDHash == made.rpIDHash && used.credential == nil, "\(vector.name)")
            let signature = try bytes(vector.auth["signature"])
            let clientData = [UInt8](SHA256.hash(data: try bytes(vector.auth["clientDataJSON"])))
            try credential.publicKey.verify(signature, over: used.bytes + clientData)
            #expect(throws: PasskeyError.badSignature, "\(vector.name)") {
                try credential.publicKey.verify(signature, over: used.bytes + clientData.reversed())
            }
            judged += 1
        }
        #expect(judged == 13)
    }

    private func bytes(_ hex: String?) throws -> [UInt8] {
        let digits = Array(try #require(hex))
        return try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(digits[$0...($0 + 1)]), radix: 16))
        }
    }
}

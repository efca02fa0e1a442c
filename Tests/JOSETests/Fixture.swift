import Crypto
import CryptoExtras
import Foundation
import HPKI
import JOSE
import Testing

/// Seeded bytes, so that every run sees the same keys and the same mutations.
final class Seeded: @unchecked Sendable {
    private var state: UInt64
    private let lock = NSLock()

    init(_ seed: UInt64) { state = seed }

    func next(_ bound: Int) -> Int {
        lock.withLock {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
    }

    var random: Random { Random { count in (0..<count).map { _ in UInt8(self.next(256)) } } }
}

/// One issuer with a P-256 and an RSA key, and tools to build tokens that no honest library would.
struct Fixture {
    let es256: TokenSigner
    let rs256: TokenSigner
    let ps256: TokenSigner
    let keys: JWKSet
    let rsa: _RSA.Signing.PrivateKey
    let ec: P256.Signing.PrivateKey

    /// Made once, since RSA keys take their time.
    static let shared = Task { try await Fixture() }

    static let claims: JSONValue = [
        "iss": "https://issuer.example", "sub": "100001-jpa", "aud": ["shirushi", "other"], "exp": 2_000_000_000,
        "nbf": 1_000_000_000, "iat": 1_000_000_000, "auth_time": 999_999_999, "acr": "hpki-card",
        "amr": ["hwk", "pin"],
        "client_id": "clinic-1", "azp": "azp-1", "jti": "j1", "sid": "s1", "scope": "sign read",
        "roles": ["Medical Doctor"],
    ]

    init() async throws {
        es256 = try await TokenSigner.generate(keyID: "ec", random: Seeded(1).random)
        rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let pem = rsa.pkcs8PEMRepresentation
        rs256 = try await TokenSigner(privateKeyPEM: pem, algorithm: .rs256, keyID: "rsa")
        ps256 = try await TokenSigner(privateKeyPEM: pem, algorithm: .ps256, keyID: "pss")
        ec = try P256.Signing.PrivateKey(pemRepresentation: es256.privateKeyPEM)
        let set: JSONValue = ["keys": .array([es256.publicJWK, rs256.publicJWK, ps256.publicJWK])]
        keys = try await JWKSet(set.bytes)
    }

    /// A token of any header text and claims text, signed with the P-256 key.
    func token(header: String, claims: String = #"{"iss":"i"}"#) throws -> String {
        let input = "\(base64URL(header.utf8)).\(base64URL(claims.utf8))"
        let signature = try ec.signature(for: Data(input.utf8)).rawRepresentation
        return "\(input).\(base64URL(signature))"
    }

    /// Why a token is refused, or nil where it is accepted.
    func refusal(
        _ token: String, allowed: Set<JWSAlgorithm> = Set(JWSAlgorithm.allCases), types: TokenTypes = .accessToken
    ) -> JOSEError? {
        do {
            _ = try TokenVerifier.verify(token, keys: keys, allowed: allowed, types: types)
            return nil
        } catch {
            return error
        }
    }
}

extension JSONValue {
    /// An object with members replaced, added, or removed where nil.
    func changed(_ changes: [String: JSONValue?]) -> JSONValue {
        guard case .object(let members) = self else { return self }
        let kept = members.filter { changes[$0.name] == nil }
        let added = changes.sorted { $0.key < $1.key }.compactMap { name, value in value.map { JSONMember(name, $0) } }
        return .object(kept + added)
    }
}

/// The bytes of a file below the folder of foreign test vectors, or nil with one visible line where there is none.
func vectors(_ path: String) throws -> Data? {
    guard let root = ProcessInfo.processInfo.environment["SHIRUSHI_VECTORS"] else {
        print("not run: \(path) needs SHIRUSHI_VECTORS")
        return nil
    }
    return try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(path)"))
}

/// The URL alphabet without padding, of any bytes.
func base64URL(_ bytes: some Sequence<UInt8>) -> String { Base64URL.encode(Array(bytes)) }

import Crypto
import Foundation
import Passkeys
import Testing

@Suite("Authenticator data and public keys")
struct AuthenticatorDataTests {
    private let key = P256.Signing.PrivateKey()
    private let hash = [UInt8](SHA256.hash(data: Array("example.org".utf8)))

    private var encodedKey: [UInt8] {
        let point = Array(key.publicKey.x963Representation)
        return [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20] + point[1..<33] + [0x22, 0x58, 0x20]
            + point[33...]
    }

    private func made(flags: UInt8 = 0x45, id: [UInt8] = [9, 9], key: [UInt8]? = nil) -> [UInt8] {
        hash + [flags, 0, 0, 1, 2] + [UInt8](repeating: 7, count: 16)
            + [UInt8(id.count >> 8), UInt8(id.count & 0xFF)] + id + (key ?? encodedKey)
    }

    @Test("a made credential is read, and its key verifies what the device signs")
    func credential() throws {
        let data = try AuthenticatorData(made())
        #expect(data.rpIDHash == hash && data.signCount == 258)
        #expect(data.isUserPresent && data.isUserVerified && !data.isBackupEligible && !data.isBackedUp)
        let credential = try #require(data.credential)
        #expect(credential.credentialID == [9, 9] && credential.encodedKey == encodedKey)
        #expect(credential.publicKey.algorithm == .es256)
        var signature = Array(try key.signature(for: data.bytes).derRepresentation)
        try credential.publicKey.verify(signature, over: data.bytes)
        #expect(throws: PasskeyError.badSignature) {
            try credential.publicKey.verify(signature, over: Array(data.bytes.dropLast()))
        }
        signature[signature.count - 1] ^= 1
        #expect(throws: PasskeyError.badSignature) { try credential.publicKey.verify(signature, over: data.bytes) }
    }

    @Test("backed up without being eligible is refused, and so are an empty id, one too long, and what follows")
    func rules() {
        #expect(throws: PasskeyError.authenticatorData("it is backed up and not eligible for it")) {
            try AuthenticatorData(hash + [0x11, 0, 0, 0, 0])
        }
        for id in [[], [UInt8](repeating: 1, count: 1024)] {
            #expect(
                throws: PasskeyError.authenticatorData("the credential's id is empty, too long or cut short")
            ) { try AuthenticatorData(made(id: id)) }
        }
        #expect(throws: PasskeyError.authenticatorData("something follows it")) {
            try AuthenticatorData(made(flags: 0x05))
        }
        #expect(throws: PasskeyError.authenticatorData("the extensions are no map")) {
            try AuthenticatorData(hash + [0x85, 0, 0, 0, 0, 0x00])
        }
    }

    @Test("a key off its curve, of another type or algorithm, or with more in it is refused")
    func keys() {
        var off = encodedKey
        off[off.count - 1] ^= 1
        #expect(throws: PasskeyError.publicKey("it is no point on P-256")) { try AuthenticatorData(made(key: off)) }
        var type = encodedKey
        type[2] = 0x03
        #expect(throws: PasskeyError.publicKey("kty does not fit alg")) { try AuthenticatorData(made(key: type)) }
        var curve = encodedKey
        curve[6] = 0x02
        #expect(throws: PasskeyError.publicKey("crv does not fit alg")) { try AuthenticatorData(made(key: curve)) }
        var algorithm = encodedKey
        algorithm[4] = 0x27
        #expect(throws: PasskeyError.publicKey("kty does not fit alg")) { try AuthenticatorData(made(key: algorithm)) }
        algorithm[4] = 0x25
        #expect(throws: PasskeyError.algorithm(-6)) { try AuthenticatorData(made(key: algorithm)) }
        #expect(throws: PasskeyError.publicKey("it has parameters that it must not have")) {
            try AuthenticatorData(made(key: [0xA6] + encodedKey.dropFirst() + [0x04, 0x00]))
        }
    }

    @Test("every prefix is refused, and no changed byte stops the reader")
    func total() throws {
        let whole = made()
        for length in 0..<whole.count {
            #expect(throws: PasskeyError.self) { try AuthenticatorData(Array(whole.prefix(length))) }
        }
        var read = 0
        for place in whole.indices {
            for value in [0x00, 0x7F, 0x80, 0xFF, whole[place] ^ 1] as [UInt8] {
                var changed = whole
                changed[place] = value
                if (try? AuthenticatorData(changed)) != nil { read += 1 }
            }
        }
        // Hash, counter, AAGUID and id may be anything; flags and key may not.
        #expect(read >= (32 + 4 + 16 + 2) * 5 && read < whole.count * 5)
    }
}

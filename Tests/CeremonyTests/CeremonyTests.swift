import Ceremony
import Foundation
import HPKI
import Host
import Synchronization
import Testing

struct CeremonyTests {
    private let a: Officer
    private let b: Officer
    private let c: Officer
    private let home: TestHome
    private let token = FakeToken()

    init() throws {
        a = try Officer.create(name: "A")
        b = try Officer.create(name: "B")
        c = try Officer.create(name: "C")
        home = try TestHome()
    }

    @Test func `the first ceremony registers, seals, imports and has both officers sign`() async throws {
        let result = try await home.initialised(token, a, b)
        let key = try #require(token.held.first)
        #expect(token.held.count == 1)
        #expect(key.role == .wrapping && key.label == "shirushi wrapping 1" && key.id == result.keyID)
        #expect(key.value.count == 32 && result.keyID.count == 16 && result.epoch == 1)
        #expect(CheckValue.of(key.value).bytes == result.checkValue)
        let sealed = try home.folder.envelope("wrapping-1")?.open(by: try PresentOfficers([b, a]))
        #expect(sealed?.copiedBytes == key.value)
        let record = try #require(try home.folder.protocols().first?.record)
        #expect(record.officers.map(\.name) == ["A", "B"])
        #expect(record.token?.serial == "serial-1")
        #expect(record.backupKey != nil)
    }

    @Test func `the files of the folder hold no secret in the open`() async throws {
        try await home.initialised(token, a, b)
        let value = try #require(token.held.first?.value)
        let pin = try home.ceremony(a, b).officerPIN(tokenSerial: "serial-1").pin.copiedBytes
        for folder in [home.folder.path, home.folder.envelopeFolder, home.folder.protocolFolder] {
            for name in try Files.names(in: folder) {
                guard let bytes = try? Files.read(folder + "/" + name, atMost: 1 << 20) else { continue }
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(!text.contains(Hex.encode(value)) && !text.contains(String(decoding: pin, as: UTF8.self)))
            }
        }
    }

    @Test func `a stranger and an officer do nothing together`() async throws {
        try await home.initialised(token, a, b)
        let ceremony = try home.ceremony(a, c)
        #expect(throws: CeremonyError.notRegistered(officer: "C")) {
            try ceremony.officerPIN(tokenSerial: "serial-1")
        }
        await #expect(throws: CeremonyError.notRegistered(officer: "C")) {
            try await ceremony.nextEpoch(token, officerPIN: "officer-pin-1", kind: .imported)
        }
        #expect(throws: CeremonyError.otherRegister) { try ceremony.register() }
    }

    @Test func `a ceremony that the token ended is begun again with the same secrets`() async throws {
        token.failing.withLock { $0 = true }
        await #expect(throws: FakeToken.Refusal.self) { try await home.initialised(token, a, b) }
        let pin = try #require(try home.folder.envelope("officer-pin-1")).open(by: try PresentOfficers([a, b]))
        let value = try #require(try home.folder.envelope("wrapping-1")).open(by: try PresentOfficers([a, b]))
        token.failing.withLock { $0 = false }
        try await home.initialised(token, a, b)
        #expect(token.held.map(\.value) == [value.copiedBytes])
        let kept = try home.ceremony(a, b).officerPIN(tokenSerial: "serial-1")
        #expect(kept.pin.copiedBytes == pin.copiedBytes)
        await #expect(throws: CeremonyError.self) { try await home.initialised(token, a, b) }
    }

    @Test func `a PIN that the token refused is forgotten, one that officers signed for never`() async throws {
        let ceremony = try home.ceremony(a, b)
        try ceremony.register()
        let refused = try ceremony.officerPINForNewToken(existing: .of("not the right one"))
        try ceremony.discardOfficerPIN(refused.label)
        #expect(try ceremony.officerPINOfUnfinishedCeremony() == nil)
        try await home.initialised(token, a, b)
        #expect(throws: CeremonyError.self) { try ceremony.discardOfficerPIN("officer-pin-1") }
        #expect(try home.folder.envelope("officer-pin-1") != nil)
    }

    @Test func `a new epoch brings another wrapping key and the old value as a rotation key`() async throws {
        let first = try await home.initialised(token, a, b, c)
        // Two of three are enough, and the third opens what they sealed.
        let second = try await home.ceremony(b, a).nextEpoch(token, officerPIN: "officer-pin-1", kind: .imported)
        #expect(second.epoch == 2 && second.keyID != first.keyID)
        let old = try #require(token.held.first { $0.id == first.keyID })
        let rotation = try #require(token.held.first { $0.role == .rotation })
        #expect(rotation.value == old.value && rotation.label == "shirushi rotation 1")
        #expect(token.held.first { $0.id == second.keyID }?.value != old.value)
        #expect(try home.folder.envelope("wrapping-2")?.open(by: try PresentOfficers([c, b])).count == 32)
    }

    @Test func `retiring destroys both keys of the epoch, never that in use`() async throws {
        let first = try await home.initialised(token, a, b)
        let ceremony = try home.ceremony(a, b)
        await #expect(throws: CeremonyError.self) {
            try await ceremony.retire(epoch: 1, token, officerPIN: "officer-pin-1")
        }
        let second = try await ceremony.nextEpoch(token, officerPIN: "officer-pin-1", kind: .imported)
        #expect(try await ceremony.retire(epoch: 1, token, officerPIN: "officer-pin-1").keyID == first.keyID)
        #expect(token.held.map(\.id) == [second.keyID])
        #expect(EpochRecord.all(in: try home.folder.protocols()).map(\.isRetired) == [true, false])
    }

    @Test func `a lost token's wrapping keys come back in another with the same ids`() async throws {
        try await home.initialised(token, a, b)
        let ceremony = try home.ceremony(a, b)
        _ = try await ceremony.nextEpoch(token, officerPIN: "officer-pin-1", kind: .imported)
        let pin = try ceremony.officerPINForNewToken()
        #expect(pin.label == "officer-pin-2")
        let other = FakeToken(serial: "serial-2")
        let restored = try await ceremony.restore(into: other, officerPIN: pin.label)
        #expect(restored.map(\.epoch) == [1, 2])
        #expect(Set(other.held) == Set(token.held))
        #expect(try ceremony.officerPIN(tokenSerial: "serial-2").pin.copiedBytes == pin.pin.copiedBytes)
        #expect(try ceremony.officerPIN(tokenSerial: "serial-1").pin.copiedBytes != pin.pin.copiedBytes)
    }

    @Test func `an envelope that someone else sealed is refused before the token sees its value`() async throws {
        try await home.initialised(token, a, b)
        let file = home.folder.envelopeFolder + "/wrapping-1.json"
        try Files.remove(file)
        let keyID = token.held.first?.id
        try home.folder.save(
            try Envelope.seal(
                LockedBytes([UInt8](repeating: 7, count: 32)), label: "wrapping-1", keyID: keyID,
                for: try home.folder.register()))
        let other = FakeToken(serial: "serial-2")
        let ceremony = try home.ceremony(a, b)
        await #expect(throws: CeremonyError.checkValueDiffers(label: "wrapping-1")) {
            try await ceremony.restore(into: other, officerPIN: "officer-pin-1")
        }
        #expect(other.held.isEmpty)
    }

    @Test func `a generated wrapping key has no envelope and cannot be restored or rotated here`() async throws {
        let result = try await home.initialised(token, a, b, kind: .generated)
        #expect(result.checkValue == nil && token.held.map(\.role) == [.generated])
        #expect(try home.folder.envelope("wrapping-1") == nil)
        let ceremony = try home.ceremony(a, b)
        await #expect(throws: CeremonyError.self) {
            try await ceremony.restore(into: FakeToken(serial: "2"), officerPIN: "officer-pin-1")
        }
        await #expect(throws: CeremonyError.self) {
            try await ceremony.nextEpoch(token, officerPIN: "officer-pin-1", kind: .imported)
        }
    }
}

struct ProtocolTests {
    private let a: Officer
    private let b: Officer
    private let home: TestHome
    private let token = FakeToken()

    init() async throws {
        a = try Officer.create(name: "A")
        b = try Officer.create(name: "B")
        home = try TestHome()
        try await home.initialised(token, a, b)
        _ = try await home.ceremony(a, b).nextEpoch(token, officerPIN: "officer-pin-1", kind: .imported)
    }

    private func files() throws -> [String] {
        try Files.names(in: home.folder.protocolFolder).map { home.folder.protocolFolder + "/" + $0 }
    }

    @Test func `a protocol in which any byte changed does not hold`() throws {
        let register = try home.folder.register()
        let bytes = try Files.read(try #require(try files().first), atMost: 1 << 20)
        _ = try CeremonyProtocol(bytes, at: "p", register: register)
        for index in stride(from: 0, to: bytes.count, by: 17) {
            var altered = bytes
            altered[index] ^= 1
            #expect(throws: CeremonyError.self) { try CeremonyProtocol(altered, at: "p", register: register) }
        }
    }

    @Test func `a protocol of other officers does not hold`() throws {
        let bytes = try Files.read(try #require(try files().first), atMost: 1 << 20)
        let others = try OfficerRegister([a.identity, Officer.create(name: "Mallory").identity])
        #expect(throws: CeremonyError.self) { try CeremonyProtocol(bytes, at: "p", register: others) }
    }

    @Test func `a protocol taken away from the row is noticed`() throws {
        try Files.remove(try #require(try files().first))
        #expect(throws: CeremonyError.self) { try home.folder.protocols() }
    }
}

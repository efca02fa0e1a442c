import Ceremony
import HPKI
import Host
import Testing

struct OfficerTests {
    private let cost = Passphrase.parameters(random: .live, rounds: 1 << 14)
    private let words = LockedBytes.of("four quiet wooden boats")

    @Test func `an officer's file gives the same officer back under its passphrase`() throws {
        let officer = try Officer.create(name: "山田　花子")
        let file = try officer.file(under: words, cost)
        let again = try Officer.open(file: file, at: "a", under: words)
        #expect(again.identity == officer.identity)
        #expect(try Officer.unverifiedIdentity(inFile: file, at: "a").fingerprint == officer.identity.fingerprint)
    }

    @Test func `another passphrase is refused by the officer's name`() throws {
        let file = try Officer.create(name: "Sato").file(under: words, cost)
        #expect(throws: CeremonyError.passphraseRefused(officer: "Sato")) {
            try Officer.open(file: file, at: "a", under: .of("four quiet wooden boots"))
        }
    }

    @Test func `a file in which any byte changed opens for no one`() throws {
        let file = try Officer.create(name: "Sato").file(under: words, cost)
        for index in stride(from: 0, to: file.count, by: 23) {
            var altered = file
            altered[index] ^= 1
            #expect(throws: CeremonyError.self) { try Officer.open(file: altered, at: "a", under: words) }
        }
    }

    @Test func `a name that a protocol could not print is refused`() {
        for name in ["", " Sato", "Sa\nto", String(repeating: "x", count: 101)] {
            #expect(throws: CeremonyError.badName) { try Officer.create(name: name) }
        }
    }

    @Test func `a short passphrase is refused`() throws {
        #expect(throws: CeremonyError.passphraseTooShort) {
            try Officer.create(name: "Sato").file(under: .of("elevenbytes"), cost)
        }
    }

    @Test func `cheap parameters of the key derivation are refused`() throws {
        #expect(throws: CeremonyError.cryptography) {
            try Officer.create(name: "Sato").file(under: words, .parameters(random: .live, rounds: 1 << 10))
        }
    }

    @Test func `a register needs two people with different names and keys`() throws {
        let first = try Officer.create(name: "Sato").identity
        let second = try Officer.create(name: "Suzuki").identity
        #expect(throws: CeremonyError.tooFewOfficers) { try OfficerRegister([first]) }
        #expect(throws: CeremonyError.sameOfficer("Sato")) { try OfficerRegister([first, first]) }
        let namesake = try Officer.create(name: "SATO").identity
        #expect(throws: CeremonyError.sameOfficer("SATO")) { try OfficerRegister([first, second, namesake]) }
        #expect(try OfficerRegister([first, second]) == OfficerRegister([second, first]))
    }

    @Test func `the same officer twice is not two officers`() throws {
        let officer = try Officer.create(name: "Sato")
        #expect(throws: CeremonyError.sameOfficer("Sato")) { try PresentOfficers([officer, officer]) }
        #expect(throws: CeremonyError.tooFewOfficers) { try PresentOfficers([officer]) }
    }
}

struct EnvelopeTests {
    private let a: Officer
    private let b: Officer
    private let c: Officer
    private let stranger: Officer
    private let register: OfficerRegister
    private let secret = LockedBytes.of("0123456789abcdef")

    init() throws {
        a = try Officer.create(name: "A")
        b = try Officer.create(name: "B")
        c = try Officer.create(name: "C")
        stranger = try Officer.create(name: "Stranger")
        register = try OfficerRegister([a.identity, b.identity, c.identity])
    }

    @Test func `any two registered officers open it, in either order`() throws {
        let envelope = try Envelope.seal(secret, label: "wrapping-1", keyID: [1, 2], for: register)
        for pair in [[a, b], [b, a], [a, c], [c, b], [a, b, c]] {
            let opened = try envelope.open(by: try PresentOfficers(pair))
            #expect(opened.copiedBytes == secret.copiedBytes)
        }
    }

    @Test func `an officer with a stranger opens nothing`() throws {
        let envelope = try Envelope.seal(secret, label: "wrapping-1", for: register)
        #expect(throws: CeremonyError.envelopeRefused(label: "wrapping-1")) {
            try envelope.open(by: try PresentOfficers([a, stranger]))
        }
    }

    @Test func `a file that was altered anywhere, or laid under another label, does not open`() throws {
        let home = try TestHome()
        try home.folder.make()
        try home.folder.save(try Envelope.seal(secret, label: "wrapping-1", for: register))
        let file = home.folder.envelopeFolder + "/wrapping-1.json"
        let present = try PresentOfficers([a, b])
        let whole = try Files.read(file, atMost: 1 << 20)
        for index in stride(from: 0, to: whole.count, by: 61) {
            try home.flip(file, at: index)
            // A share of another pair may have been hit: then this pair's still holds the right secret.
            if let opened = try? home.folder.envelope("wrapping-1")?.open(by: present) {
                #expect(opened.copiedBytes == secret.copiedBytes)
            }
            try Files.write(whole, to: file)
        }
        try Files.write(whole, to: home.folder.envelopeFolder + "/wrapping-2.json")
        #expect(throws: CeremonyError.self) { try home.folder.envelope("wrapping-2") }
        let text = String(decoding: whole, as: UTF8.self).replacing("wrapping-1", with: "wrapping-2")
        try Files.write(Array(text.utf8), to: home.folder.envelopeFolder + "/wrapping-2.json")
        #expect(throws: CeremonyError.envelopeRefused(label: "wrapping-2")) {
            try home.folder.envelope("wrapping-2")?.open(by: present)
        }
    }
}

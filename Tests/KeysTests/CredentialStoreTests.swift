import Certificates
import Development
import Foundation
import HPKI
import Host
import Keys
import Storage
import Testing

private let now = Instant(seconds: 1_800_000_000)

@Suite struct CredentialStoreTests {
    private static let authorities = Task {
        try DevelopmentPKI.create(random: .live, now: now.adding(seconds: -86_400))
    }

    private func withDatabase(_ body: (Database, CredentialRecord) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "shirushi-store-\(UUID()).sqlite").path()
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
        var pki = try await Self.authorities.value
        let certificate = try pki.issue(
            HolderProfile(romajiName: "X", japaneseName: "試験", identifier: "x", roles: [.medicalDoctor]),
            publicKey: DevelopmentKey.p256().subjectPublicKeyInfo, by: .medis, now: now)
        let record = CredentialRecord(
            active: certificate, id: made(CredentialID("doctor-1-a")), holder: made(HolderID("doctor-1")),
            authority: made(AuthorityID("medis")), keyType: .p256, algorithm: .ecdsaP256SHA256, custody: "resident",
            at: now)
        let database = try Database.create(at: path, parts: [CredentialStore.part, WrappingEpochStore.part])
        try await body(database, record)
        try database.close()
    }

    @Test func `a record comes back as it was, once under its name, and changes only from the version before`()
        async throws
    {
        try await withDatabase { database, record in
            let stored = try await database.write { try CredentialStore.put(record, endsAt: now, entry: 7, in: $0) }
            #expect(stored)
            let again = try await database.write { try CredentialStore.put(record, endsAt: now, entry: 8, in: $0) }
            #expect(!again)
            let read = try #require(await database.read { try CredentialStore.audited(record.id, in: $0) })
            #expect(read.record == record && read.entry == 7 && read.material == nil)
            let next = try #require(record.moved(to: .suspended, at: now))
            #expect(next.version == 2 && next.digest != record.digest)
            let changed = try await database.write { try CredentialStore.put(next, endsAt: nil, entry: 9, in: $0) }
            let late = try await database.write { try CredentialStore.put(next, endsAt: nil, entry: 10, in: $0) }
            #expect(changed && !late)
            #expect(try await database.read { try CredentialStore.state(of: record.id, in: $0) } == .suspended)
            #expect(
                try await database.read { try CredentialStore.state(of: made(CredentialID("unknown")), in: $0) } == nil)
        }
    }

    @Test func `only a credential with certificate and key can sign, and a row that cannot be read says so`()
        async throws
    {
        try await withDatabase { database, record in
            _ = try await database.write { try CredentialStore.put(record, endsAt: now, entry: nil, in: $0) }
            let holder = record.holder
            #expect(try await database.read { try CredentialStore.credentials(of: holder, in: $0) } == [])
            try await database.write { try CredentialStore.put(.resident(keyID: [1]), of: record.id, in: $0) }
            let found = try await database.read { try CredentialStore.credentials(of: holder, in: $0) }
            #expect(found.map(\.id) == [record.id] && found.first?.key.material == .resident(keyID: [1]))
            try await database.write { try CredentialStore.deleteMaterial(of: record.id, in: $0) }
            #expect(try await database.read { try CredentialStore.credentials(of: holder, in: $0) } == [])
            try await database.write { _ = try $0.execute("UPDATE credential SET state = 'asleep'") }
            let unreadable = await #expect(throws: TransactionError.self) {
                try await database.read { try CredentialStore.record(record.id, in: $0) }
            }
            #expect(unreadable?.storage == .unexpectedValue)
        }
    }

    @Test func `a serial number is noted once for each issuer`() async throws {
        try await withDatabase { database, record in
            let issuer = Digest(of: [1])
            for (name, isNew) in [(issuer, true), (issuer, false), (Digest(of: [2]), true)] {
                let noted = try await database.write {
                    try CredentialStore.noteSerial(issuer: name, serial: [5], of: record.id, in: $0)
                }
                #expect(noted == isNew)
            }
        }
    }

    @Test func `the states follow one another as the life of a key has it`() {
        let allowed = CredentialState.allCases.map { state in
            "\(state.rawValue): \(state.successors.map(\.rawValue).sorted().joined(separator: " "))"
        }
        #expect(
            allowed == [
                "requested: destruction-pending generated", "generated: certified destruction-pending",
                "certified: active expired revoked suspended", "active: expired revoked suspended",
                "suspended: active expired revoked", "revoked: destruction-pending", "expired: destruction-pending",
                "destruction-pending: destroyed", "destroyed: ",
            ])
    }

    @Test func `a seal holds for its own holder, credential, key and epoch alone`() throws {
        let key = CustodyKey(Array(repeating: 1, count: 32))
        let place = KeyBinding(
            credential: made(CredentialID("a")), holder: made(HolderID("h")), keyType: .p256, publicKey: [1, 2])
        let wrapped = key.seal([9, 9], epoch: 1, for: place)
        try key.check(wrapped, for: place)
        let others = [
            KeyBinding(
                credential: made(CredentialID("b")), holder: made(HolderID("h")), keyType: .p256, publicKey: [1, 2]),
            KeyBinding(
                credential: made(CredentialID("a")), holder: made(HolderID("i")), keyType: .p256, publicKey: [1, 2]),
            KeyBinding(
                credential: made(CredentialID("a")), holder: made(HolderID("h")), keyType: .p384, publicKey: [1, 2]),
            KeyBinding(
                credential: made(CredentialID("a")), holder: made(HolderID("h")), keyType: .p256, publicKey: [1, 3]),
        ]
        for other in others {
            #expect(throws: KeyError.self) { try key.check(wrapped, for: other) }
        }
        let foreign = CustodyKey(Array(repeating: 2, count: 32))
        #expect(throws: KeyError.self) { try foreign.check(wrapped, for: place) }
    }
}

import HPKI
import Identity
import Storage
import Testing

/// Sessions that have to go, told from those that stay.
struct SessionStoreTests {
    private static let now = World.now
    private let scratch: Scratch
    private let database: Database

    init() throws {
        scratch = try Scratch()
        database = try Database.create(
            at: scratch.folder + "/sessions.sqlite", parts: [HolderStore.part, SessionStore.part, GrantStore.part])
    }

    /// A session with a grant and its code.
    private func open(_ id: String, _ holder: HolderID, endsIn seconds: Int64) async throws {
        let session = LoginSession(
            id: id, holder: holder, method: .hpkiCard, attestedBy: "front", certificate: [1], authenticatedAt: Self.now,
            endsAt: Self.now.adding(seconds: seconds))
        let grant = OAuthGrant(
            id: "grant of \(id)", session: id, client: made(ClientID("clinic")), redirectURI: "https://rp.example/",
            scopes: ["openid"], resources: [], authorizationDetails: nil, nonce: nil, codeChallenge: "", binding: nil,
            codeExpiresAt: Self.now.adding(seconds: 60))
        try await database.write { connection in
            try SessionStore.insert(session, secret: Digest(of: Array(id.utf8)), in: connection)
            try GrantStore.insert(grant, code: Digest(of: Array("code of \(id)".utf8)), in: connection)
        }
    }

    private func rows(_ table: String) async throws -> Int64? {
        try await database.read { try $0.queryOne("SELECT COUNT(*) AS n FROM \(table)")?.integer("n") }
    }

    @Test func `open sessions of disabled holders are found, whatever else is there`() async throws {
        try await database.write { connection in
            for holder in [World.doctor, World.linked] { try HolderStore.insert(holder, in: connection) }
        }
        try await open("doctor", World.doctor, endsIn: 60)
        try await open("dentist", World.linked, endsIn: 60)
        try await open("dentist, ended", World.linked, endsIn: 60)
        try await open("dentist, past", World.linked, endsIn: -60)
        let before = try await database.read {
            try SessionStore.openOfDisabled(at: Self.now, limit: 10, in: $0).map(\.id)
        }
        #expect(before == [])
        let after = try await database.write { connection in
            _ = try SessionStore.end("dentist, ended", at: Self.now, in: connection)
            try connection.execute(
                "UPDATE holder SET state = 'disabled' WHERE id = $1", [.text(World.linked.description)])
            return try SessionStore.openOfDisabled(at: Self.now, limit: 10, in: connection).map(\.id)
        }
        #expect(after == ["dentist"])
    }

    @Test func `sessions are forgotten with all they granted, a few at a time, the oldest first`() async throws {
        for (id, end) in [("oldest", -90), ("older", -80), ("old", -70), ("open", 60)] as [(String, Int64)] {
            try await open(id, World.doctor, endsIn: end)
        }
        func forget() async throws -> Int {
            try await database.write { try SessionStore.forget(before: Self.now, limit: 2, in: $0) }
        }
        #expect(try await forget() == 2)
        #expect(try await database.read { try GrantStore.grant("grant of old", in: $0) } != nil)
        #expect(try await database.read { try GrantStore.grant("grant of older", in: $0) } == nil)
        #expect(try await forget() == 1)
        #expect(try await forget() == 0)
        for table in ["login_session", "oauth_grant", "oauth_secret"] {
            #expect(try await rows(table) == 1, "\(table)")
        }
        #expect(try await database.read { try SessionStore.session("open", at: Self.now, in: $0) } != nil)
    }
}

import HPKI
import Identity
import Storage
import Testing

/// Relying systems are told of a session's end, and one that is silent stands before nobody.
struct LogoutNoticeTests {
    private static let session = LoginSession(
        id: "s-1", holder: World.doctor, method: .hpkiCard, attestedBy: "front", certificate: nil,
        authenticatedAt: World.now, endsAt: World.now.adding(seconds: 64_800))

    @Test func `300 that fail do not hide one that came after them`() async throws {
        let scratch = try Scratch()
        let database = try Database.create(at: scratch.folder + "/n.sqlite", parts: [LogoutNoticeStore.part])
        let (silent, good) = (made(ClientID("silent")), made(ClientID("good")))
        try await database.write { connection in
            for _ in 0..<300 {
                try LogoutNoticeStore.insert(silent, session: Self.session, at: World.now, in: connection)
            }
            try LogoutNoticeStore.insert(good, session: Self.session, at: World.now, in: connection)
        }
        var now = World.now
        for _ in 0..<2 {
            let at = now
            try await database.write { connection in
                for due in try LogoutNoticeStore.due(at: at, limit: 256, in: connection) where due.client == silent {
                    try LogoutNoticeStore.settle(due.number, isDone: false, at: at, in: connection)
                }
            }
            now = now.adding(seconds: 1)
        }
        let at = now
        let due = try await database.read { try LogoutNoticeStore.due(at: at, limit: 256, in: $0) }
        #expect(due.contains { $0.client == good })
    }

    @Test func `one is tried ever more rarely, for a day`() async throws {
        let scratch = try Scratch()
        let database = try Database.create(at: scratch.folder + "/n.sqlite", parts: [LogoutNoticeStore.part])
        let client = made(ClientID("silent"))
        try await database.write {
            try LogoutNoticeStore.insert(client, session: Self.session, at: World.now, in: $0)
        }
        var tries: [Int64] = []
        for second in stride(from: Int64(0), to: 100_000, by: 1) where tries.count < 40 {
            let at = World.now.adding(seconds: second)
            guard second < 20 || second % 600 == 0 else { continue }
            let tried = try await database.write { connection in
                let due = try LogoutNoticeStore.due(at: at, limit: 1, in: connection)
                for one in due { try LogoutNoticeStore.settle(one.number, isDone: false, at: at, in: connection) }
                return !due.isEmpty
            }
            if tried { tries.append(second) }
        }
        #expect(tries.prefix(4) == [0, 2, 6, 14])
        #expect((25...40).contains(tries.count) && (tries.last ?? 0) > 86_400)
        let late = World.now.adding(seconds: 200_000)
        let left = try await database.read { try LogoutNoticeStore.due(at: late, limit: 1, in: $0) }
        #expect(left == [])
    }
}

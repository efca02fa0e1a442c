import HPKI
import Identity
import JOSE
import Testing

@Suite struct ReviewerTests {
    @Test(arguments: ReviewerRole.allCases)
    func `a token with one role makes a reviewer, registered as a holder or not`(role: ReviewerRole) async throws {
        let world = try await World()
        let token = try world.token(["sub": "somebody", "shirushi_roles": [.string(role.rawValue)]])
        let reviewer = try await world.identification.reviewer(PresentedToken(token))
        #expect(reviewer.role == role && reviewer.subject == "somebody" && reviewer.issuer == World.issuer)
        #expect(reviewer.until == reviewer.authenticatedAt.adding(seconds: 18 * 3600))
        #expect(reviewer.text.contains("role=\(role.rawValue)\n"))
        // It is no holder's token.
        await #expect(throws: IdentityError.unknownHolder) {
            try await world.identification.identify(PresentedToken(token))
        }
    }

    @Test(
        arguments: [
            nil, [], ["auditor", "operator"], ["auditor", "auditor"], ["Auditor"], ["admin"], [""],
        ] as [JSONValue?])
    func `no role, several roles, and roles that are none make nobody`(roles: JSONValue?) async throws {
        let world = try await World()
        let token = try world.token(["shirushi_roles": roles])
        let error = await #expect(throws: IdentityError.self) {
            try await world.identification.reviewer(PresentedToken(token))
        }
        guard case .notReviewer? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.failure.kind == .denied)
    }

    @Test func `a claim that is no list is no list of one`() async throws {
        let world = try await World()
        let token = try world.token(["shirushi_roles": "auditor"])
        let error = await #expect(throws: IdentityError.self) {
            try await world.identification.reviewer(PresentedToken(token))
        }
        #expect(error?.failure.kind == .invalidToken)
    }

    @Test func `a reviewer's token is judged as a holder's is, in its times and its window too`() async throws {
        let roles: JSONValue = ["auditor"]
        let now = World.now.seconds
        for (changes, expected) in [
            (["aud": "https://other.example"], .wrongAudience), (["iss": "https://other.example"], .unknownIssuer),
            (["exp": .number("\(now - 61)")], .expired(at: Instant(seconds: now - 61))),
            (["nbf": .number("\(now + 61)")], .notYetValid(until: Instant(seconds: now + 61))),
            (["auth_time": nil], .claim("auth_time", "is missing")),
            (["auth_time": .number("\(now + 61)")], .claim("auth_time", "lies in the future")),
            (["auth_time": .number("\(now - 18 * 3600 - 61)")], .windowElapsed(end: Instant(seconds: now - 61))),
        ] as [([String: JSONValue?], IdentityError)] {
            let world = try await World()
            var changes = changes
            changes["shirushi_roles"] = roles
            let token = try world.token(changes)
            await #expect(throws: expected) { try await world.identification.reviewer(PresentedToken(token)) }
        }
    }
}

import Certificates
import Core
import CoreProtocol
import Development
import HPKI
import Testing

extension CoreTests {
    @Suite struct Certificates {
        @Test func `an expired certificate does not sign`() async throws {
            let world = try await World { name, template in
                if name == "doctor-1-a" { template.notAfter = World.now.adding(seconds: 10) }
            }
            try await world.serving { core in
                _ = try await core.sign(try world.command())
                world.advance(seconds: 11)
                let before = world.token.uses
                let told = try await failure { try await core.sign(try world.command()) }
                #expect(told.kind == .credentialUnusable && told.reasons == ["expired"])
                #expect(world.token.uses == before)
                #expect(try await world.kinds() == ["intent", "outcome 1", "refusal"])
            }
        }

        @Test func `a revoked certificate does not sign, from the next poll of the lists on`() async throws {
            let world = try await World()
            try await world.serving { core in
                let reply = try await core.sign(try world.command())
                let serial = try HPKICertificate(der: reply.certificate).serialNumber
                try world.publish(at: World.now) { pki in
                    try pki.revoke(serial: serial, of: .jma, reason: .keyCompromise, at: World.now)
                }
                let polling = Task { await core.run(logger: quiet) }
                try await Task.sleep(for: .milliseconds(300))
                polling.cancel()
                await polling.value
                let told = try await failure { try await core.sign(try world.command()) }
                #expect(told.kind == .credentialUnusable && told.reasons == ["revoked"])
                #expect(try await core.sign(try world.command("director-1")).rule == "prescribe")
            }
        }

        @Test func `a revocation list past its next update stops signing, and the operator is told before`()
            async throws
        {
            let world = try await World()
            try await world.serving { core in
                world.advance(seconds: 96 * 3600 + 61)
                let told = try await failure { try await core.sign(try world.command()) }
                #expect(told.kind == .revocationUnknown && told.retryAfter == 300)
                #expect(try await world.kinds() == ["refusal"])
            }
        }
    }
}

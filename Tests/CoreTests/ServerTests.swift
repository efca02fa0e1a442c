import Audit
import Core
import CoreProtocol
import HPKI
import Host
import Testing

extension CoreTests {
    @Suite struct Server {
        @Test func `front signs, looks up and asks for health over its socket, and administers nothing`() async throws {
            let world = try await World()
            try await world.serving { core in
                let client = try connect(core, as: .front)
                let command = try world.command()
                guard case .signed(let reply) = try await client.call(.sign(command), deadline: .max) else {
                    Issue.record("no signature")
                    return
                }
                try verify(reply, of: command)
                guard
                    case .signature(let facts) = try await client.call(
                        .lookup(token: command.token, signature: reply.signature), deadline: .max)
                else {
                    Issue.record("no facts")
                    return
                }
                #expect(facts.state == .signed)
                guard case .health(let health) = try await client.call(.health, deadline: .max) else {
                    Issue.record("no health")
                    return
                }
                #expect(health.hsm && health.audit && health.alarms == [])
                #expect(
                    health.metrics.contains {
                        $0.name == "shirushi_core_requests_total{result=\"signed\"}" && $0.value == 1
                    })
                #expect(health.metrics.contains { $0.name == "shirushi_core_keys" && $0.value >= 7 })
                for request in [AdminRequest.rotation, .addCheckpointKey] {
                    let told = try await failure {
                        try await client.call(.admin(request, proof: try world.adminKey), deadline: .max)
                    }
                    #expect(told.kind == .denied)
                }
            }
        }

        @Test func `an operator's command is done for who proves it with the admin key`() async throws {
            let world = try await World()
            try await world.serving { core in
                let client = try connect(core, as: .operatorCommand)
                for proof in [[], [0], Array(try world.adminKey.dropLast())] {
                    let unproven = try await failure {
                        try await client.call(.admin(.rotation, proof: proof), deadline: .max)
                    }
                    #expect(unproven.kind == .denied)
                }
                let reply = try await client.call(.admin(.rotation, proof: try world.adminKey), deadline: .max)
                guard case .rotation = reply else {
                    Issue.record("\(reply)")
                    return
                }
            }
        }

        @Test func `a second core on the same instance does not start`() async throws {
            let world = try await World()
            try await world.serving { core in
                await #expect {
                    _ = try await world.open()
                } throws: {
                    if case .host(.locked)? = $0 as? CoreStartError { true } else { false }
                }
                _ = try await core.sign(try world.command())
            }
        }

        @Test func `core does not start on a log that does not hold`() async throws {
            let world = try await World()
            try await world.serving { core in _ = try await core.sign(try world.command()) }
            try await world.change("DELETE FROM audit_entry WHERE sequence = 4")
            await #expect {
                _ = try await world.open()
            } throws: {
                if case .audit(.broken("record 4 is missing"))? = $0 as? CoreStartError { true } else { false }
            }
        }

        @Test func `a clock that jumps makes core unready`() async throws {
            let world = try await World()
            try await world.serving { core in
                let client = try connect(core, as: .front)
                world.advance(seconds: -600)
                guard case .health(let health) = try await client.call(.health, deadline: .max) else {
                    Issue.record("no health")
                    return
                }
                #expect(!health.clock && !health.isReady)
            }
        }

        private func connect(_ core: CoreInstance, as peer: CoreServer.Peer) throws -> CoreClient {
            let (front, back) = try SocketPair.make()
            CoreServer(core, logger: quiet).serve(back, peer: peer)
            let client = CoreClient()
            client.connect(front)
            return client
        }
    }
}

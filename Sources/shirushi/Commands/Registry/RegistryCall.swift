import ArgumentParser
import Core
import CoreProtocol
import HPKI
import Host
import Web

/// Which instance's registry, in whose place, and how the answer is shown.
struct RegistryOptions: ParsableArguments {
    @OptionGroup var home: HomeOption
    @Option(help: "The authority in whose place this is done, by its name in the configuration.") var authority: String
    @Flag(help: "The answer as the API gives it: one JSON object a line.") var json = false

    /// A connection to the core that serves the instance; throws a sentence for people where none does.
    func connect() throws -> RegistryCall {
        guard let authority = AuthorityID(authority) else {
            throw CommandError("--authority: a name has 1 to 64 printable ASCII characters without white space")
        }
        let home = home.home
        try home.mustExist()
        let known = try Configuration.read(home).authorities.map(\.name)
        guard known.contains(authority) else {
            let names = known.map(\.description).joined(separator: ", ")
            throw CommandError(
                "shirushi.yaml names no authority \(authority); it names \(names.isEmpty ? "none" : names)")
        }
        let client = CoreClient()
        do { client.connect(try UnixListener.connect(to: home.core.adminSocket)) } catch {
            throw CommandError(
                "the registry is asked while the instance serves; start it first with: shirushi serve --home \(home.path)"
            )
        }
        let proof = try SecretFile.read(home.core.adminKey, atMost: 64).copiedBytes
        return RegistryCall(client: client, party: .operatorCommand(authority: authority, proof: proof))
    }

    /// Asks once and prints the answer: as JSON, or as `text` has it.
    func ask(
        _ act: RegistrationCommand.Act, _ text: (RegistrationReply) -> String = { $0.text }
    ) async throws {
        let reply = try await connect()(act)
        print(json ? RegistrationFile.json(reply) : text(reply))
    }

    /// Prints one line of several: `whole` as JSON, or `line` in words.
    func show(_ whole: RegistrationReply, _ line: RegistrationReply) {
        print(json ? RegistrationFile.json(whole) : line.text)
    }
}

/// One connection to the registry of a serving instance.
struct RegistryCall {
    let client: CoreClient
    let party: RegistrationCommand.Party

    /// Asks and waits; throws the failure in words for people.
    func callAsFunction(_ act: RegistrationCommand.Act) async throws -> RegistrationReply {
        let command = RegistrationCommand(
            requestID: Hex.encode(Random.live.bytes(16)), party: party, act: act
        )
        let request = CoreRequest.registration(command)
        // Core ends the connection of a peer whose frame is beyond the bounds; here there is somebody to be told.
        guard (try? RequestFrame(RequestFrame(call: 0, request: request).bytes)) != nil else {
            throw CommandError("a text, a file or a list is longer than the registry takes")
        }
        let watch = Task { await client.watchDeadlines() }
        defer { watch.cancel() }
        do {
            let deadline = Monotonic.now + 60_000_000_000
            guard case .registration(let reply) = try await client.call(request, deadline: deadline) else {
                throw CommandError("core gave another answer than was asked for")
            }
            return reply
        } catch let failure as Failure {
            throw CommandError(Self.words(for: failure))
        }
    }

    private static func words(for failure: Failure) -> String {
        let row = FailureTable.row(failure.kind)
        var lines = ["\(row.title): \(failure.detail)", "  type: \(row.type)"]
        if !failure.reasons.isEmpty { lines.append("  reasons: \(failure.reasons.joined(separator: ", "))") }
        lines.append("  next: \(row.next)")
        return lines.joined(separator: "\n")
    }
}

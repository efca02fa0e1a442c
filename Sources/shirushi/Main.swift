import ArgumentParser
import Glibc
import Host

/// The one executable.
///
/// Its two inner commands, `core` and `front`, are started by `serve`.
@main
struct Main {
    static func main() async {
        Confinement.applyIfFront(CommandLine.arguments)
        do {
            var command = try Shirushi.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as CommandError {
            Progress.say("shirushi: \(error.description)")
            exit(error.code)
        } catch let error as HostError {
            Progress.say("shirushi: \(error)")
            exit(1)
        } catch let error as ConfigurationFaults {
            Progress.say("shirushi: \(error.description)")
            exit(78)
        } catch {
            Shirushi.exit(withError: error)
        }
    }
}

struct Shirushi: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shirushi",
        abstract: "Open remote signing for Japan's health professions.",
        discussion: """
            EXAMPLES
              shirushi init --home ./var/home --development
              shirushi serve --home ./var/home
              shirushi token --home ./var/home --holder doctor-1 > token
              shirushi sign prescription --server https://localhost:8443 \\
                  --ca ./var/home/development/tls/ca.pem --token-file token \\
                  --csv prescription.csv --out prescription.xml
              shirushi verify prescription.xml --trust ./var/home/trust
            """,
        subcommands: [
            InitCommand.self, ServeCommand.self, TokenCommand.self, SignCommandLine.self, VerifyCommand.self,
            AuditCommand.self, WitnessCommand.self, PolicyCommand.self, HoldersCommand.self, KeysCommand.self,
            ClientCommand.self, HSMCommand.self,
            BackupCommand.self, RestoreCommand.self, FailuresCommand.self, DevCACommand.self, CoreCommand.self,
            FrontCommand.self,
        ]
    )
}

import ArgumentParser
import Audit
import CoreProtocol
import HPKI
import Host
import Transparency

/// `shirushi audit checkpoint`: the newest signed checkpoint.
struct AuditCheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Print the newest signed checkpoint; keep it somewhere else.",
        discussion: """
            Whoever has one can later prove with audit verify --since that the
            log still begins with it. Its form is C2SP tlog-checkpoint.
            --cosigned gives the newest that a witness cosigned.

            EXAMPLES
              shirushi audit checkpoint --home ./var/home > 2026-11-26.checkpoint
              shirushi audit checkpoint --cosigned --home ./var/home
            """
    )

    @OptionGroup var home: HomeOption
    @OptionGroup var checkpoint: CosignedOption

    func run() async throws {
        let note = try await LogFolder(home.home).withEvidence(checkpoint.choice) { evidence, _ in evidence.note }
        print(note.encoded, terminator: "")
    }
}

/// `shirushi audit keys`: the keys under checkpoints, and their rotation.
struct AuditKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Show or rotate the keys that sign the log's checkpoints.",
        discussion: """
            Reviewers need the line that show prints, on a way that the
            instance does not control. To rotate: add, hand out the new
            line, and retire the old one once all reviewers have it.

            EXAMPLES
              shirushi audit keys show --home ./var/home
              shirushi audit keys add --home ./var/home
              shirushi audit keys retire 1a2b3c4d --home ./var/home
            """,
        subcommands: [Show.self, Add.self, Retire.self], defaultSubcommand: Show.self
    )

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the verifier keys, oldest first.",
            discussion: """
                EXAMPLE
                  shirushi audit keys show --home ./var/home
                """
        )
        @OptionGroup var home: HomeOption

        func run() async throws {
            for key in try LogFolder(home.home).keys { print(key.text) }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make another key; from now on all of them sign.",
            discussion: """
                EXAMPLE
                  shirushi audit keys add --home ./var/home
                """
        )
        @OptionGroup var home: HomeOption

        func run() async throws {
            guard case .noted = try await AdminCall(home: home.home)(.addCheckpointKey) else {
                throw CommandError("core gave another answer than was asked for")
            }
            for key in try LogFolder(home.home).keys { print(key.text) }
        }
    }

    struct Retire: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign with a key no more; its file entry is erased.",
            discussion: """
                EXAMPLE
                  shirushi audit keys retire 1a2b3c4d --home ./var/home
                """
        )
        @Argument(help: "The key's id, eight hexadecimal digits.") var id: String
        @OptionGroup var home: HomeOption

        func run() async throws {
            guard case .noted = try await AdminCall(home: home.home)(.retireCheckpointKey(id.lowercased())) else {
                throw CommandError("core gave another answer than was asked for")
            }
            for key in try LogFolder(home.home).keys { print(key.text) }
        }
    }
}

import ArgumentParser
import CoreProtocol
import HPKI

/// `shirushi holders`: what an authority does with its holders, done by the operator in its place.
struct HoldersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holders",
        abstract: "Register holders and look them up, in the place of an authority.",
        discussion: """
            All of it works while the instance serves, and may be repeated.

            EXAMPLES
              shirushi holders put doctor-7 --home ./var/home --authority medis \\
                  --romaji-name "Hanako Suzuki" --japanese-name 鈴木花子 \\
                  --role "Medical Doctor" --register 医籍=123456
              shirushi holders list --home ./var/home --authority medis
              shirushi holders disable doctor-7 --home ./var/home --authority medis
              shirushi holders import rows.jsonl --name april --home ./var/home \\
                  --authority medis
            """,
        subcommands: [
            Put.self, Show.self, List.self, Enable.self, Disable.self, HoldersImport.self, LinkCard.self,
            UnlinkCard.self,
        ]
    )

    struct Put: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a holder, or replace all that is known of one.",
            discussion: """
                EXAMPLE
                  shirushi holders put doctor-7 --home ./var/home --authority medis \\
                      --romaji-name "Hanako Suzuki" --japanese-name 鈴木花子 \\
                      --role "Medical Doctor" --register 医籍=123456
                """
        )

        @Argument(help: "The holder's 本人ID.") var holder: HolderID
        @OptionGroup var registry: RegistryOptions
        @Option(name: .customLong("romaji-name"), help: "The name in Latin letters.") var romajiName: String
        @Option(name: .customLong("japanese-name"), help: "The name in Japanese.") var japaneseName: String
        @Option(name: .customLong("role"), help: "A role as certificates carry it (hcRole); may be repeated.")
        var roles: [String] = []
        @Option(
            name: .customLong("register"), help: "A register with the number in it, REGISTER=NUMBER; may be repeated.")
        var numbers: [String] = []

        func run() async throws {
            let numbers = try numbers.map { text in
                let parts = text.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else { throw CommandError("--register: write REGISTER=NUMBER, not \(text)") }
                return HolderRecord.RegisterNumber(register: String(parts[0]), number: String(parts[1]))
            }
            try await registry.ask(
                .putHolder(
                    HolderRecord(
                        id: holder, romajiName: romajiName, japaneseName: japaneseName, roles: roles.map { HCRole($0) },
                        registerNumbers: numbers
                    )
                )
            )
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one holder.",
            discussion: """
                EXAMPLE
                  shirushi holders show doctor-7 --home ./var/home --authority medis --json
                """
        )

        @Argument(help: "The holder.") var holder: HolderID
        @OptionGroup var registry: RegistryOptions

        func run() async throws { try await registry.ask(.holder(holder)) }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the authority's holders in the order of their ids.",
            discussion: """
                EXAMPLE
                  shirushi holders list --home ./var/home --authority medis --after doctor-7
                """
        )

        @OptionGroup var registry: RegistryOptions
        @Option(help: "List behind this holder.") var after: HolderID?

        func run() async throws {
            let call = try registry.connect()
            var after = after
            repeat {
                let reply = try await call(
                    .listHolders(after: after, limit: UInt16(clamping: RegistrationLimits.holders))
                )
                guard case .holders(let holders, let next) = reply else { throw CommandError("core gave no list") }
                for facts in holders { registry.show(.holder(facts), .holders([facts], next: nil)) }
                after = next
            } while after != nil
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a holder act.",
            discussion: """
                EXAMPLE
                  shirushi holders enable doctor-7 --home ./var/home --authority medis
                """
        )

        @Argument(help: "The holder.") var holder: HolderID
        @OptionGroup var registry: RegistryOptions

        func run() async throws { try await registry.ask(.enable(holder, true)) }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a holder act no longer; nothing is signed for them.",
            discussion: """
                EXAMPLE
                  shirushi holders disable doctor-7 --home ./var/home --authority medis
                """
        )

        @Argument(help: "The holder.") var holder: HolderID
        @OptionGroup var registry: RegistryOptions

        func run() async throws { try await registry.ask(.enable(holder, false)) }
    }
}

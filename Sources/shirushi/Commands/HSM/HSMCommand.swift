import ArgumentParser

/// `shirushi hsm`: what concerns the token and its module.
struct HSMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hsm",
        abstract: "Look after the token that holds the keys.",
        discussion: """
            `probe` says what a module is fit for; the rest is done by two officers together (docs/ceremony.md).

            EXAMPLES
              shirushi hsm officer --name "Hanako Yamada" \\
                  --out /media/hanako/hanako.officer
              shirushi hsm init --home /srv/shirushi \\
                  --officer a.officer --officer b.officer
              shirushi hsm protocol verify --home /srv/shirushi
            """,
        subcommands: [
            HSMProbeCommand.self, HSMOfficerCommand.self, HSMInitCommand.self, HSMEpochCommand.self,
            HSMRetireCommand.self, HSMRestoreCommand.self, HSMProtocolCommand.self,
        ]
    )
}

import ArgumentParser

/// `shirushi hsm`: what concerns the token and its module.
struct HSMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hsm",
        abstract: "Look after the token that holds the keys.",
        subcommands: [
            HSMProbeCommand.self, HSMOfficerCommand.self, HSMInitCommand.self, HSMEpochCommand.self,
            HSMRetireCommand.self, HSMRestoreCommand.self, HSMProtocolCommand.self,
        ]
    )
}

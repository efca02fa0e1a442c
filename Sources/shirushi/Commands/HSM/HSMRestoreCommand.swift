import ArgumentParser
import Ceremony
import Host

/// `shirushi hsm restore`: the wrapping keys of a lost token in another one.
struct HSMRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put the wrapping keys of every epoch in use into another token.",
        discussion: """
            Name the new token in the configuration first: its module and a label that no token bears yet. It is
            initialised with a new security officer's PIN, sealed for any two officers.

            EXAMPLES
              shirushi hsm restore --home /srv/shirushi --officer a.officer \\
                  --officer b.officer
            """
    )

    @OptionGroup var home: HomeOption
    @OptionGroup var officers: OfficerOptions
    @Option(name: .customLong("officer-pin-file"), help: "The security officer's PIN of a token that is initialised.")
    var officerPINFile: String?

    func run() async throws {
        try await inWords {
            let work = try TokenCeremony(home.home, officers)
            _ = try await work.begin()
            let results = try await work.withInitialisedToken(officerPINFile: officerPINFile) { token in
                try await work.ceremony.restore(into: token, officerPIN: token.officerPIN)
            }
            for result in results {
                print("Epoch \(result.epoch): check value \(result.checkValue.map { "\(HexBytes($0))" } ?? "none")")
            }
            print("Protocol: \(results.last?.protocolFile ?? "none")")
            print("\n\(NextSteps(["shirushi serve --home \(home.home.path)"]))")
        }
    }
}

import ArgumentParser
import Ceremony
import HPKI
import Host

/// `shirushi hsm init`: the first ceremony of an instance.
struct HSMInitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Register the officers and make the first wrapping key, with a signed protocol.",
        discussion: """
            At least two officers are present. A token of the configured label is made if there is none: its security
            officer's PIN is random and sealed for any two officers. docs/ceremony.md goes through it step by step.

            EXAMPLES
              shirushi hsm init --home /srv/shirushi --officer a.officer --officer b.officer
              shirushi hsm init --home ./var/home --officer a.officer --officer b.officer \\
                  --officer-pin-file ./var/home/secrets/hsm-officer.pin
            """
    )

    @OptionGroup var home: HomeOption
    @OptionGroup var officers: OfficerOptions
    @Option(name: .customLong("officer-pin-file"), help: "The security officer's PIN of a token that is initialised.")
    var officerPINFile: String?
    @Option(
        name: .customLong("wrapping-key"),
        help: "imported: two officers can restore it in another token. generated: it never leaves the HSM.")
    var kind = WrappingKeyKind.imported

    func run() async throws {
        try await inWords {
            try await CeremonyRegistry.checkNone(home.home)
            let work = try TokenCeremony(home.home, officers)
            try work.ceremony.register()
            let token = try await work.initialisedToken(officerPINFile: officerPINFile)
            let result = try await work.ceremony.initialise(
                token, officerPIN: token.officerPIN, kind: kind, backupKeyFile: home.home.backupKey)
            try await CeremonyRegistry.record(result, home.home)
            await token.close()
            print(result.summary(next: "shirushi serve --home \(home.home.path)"))
        }
    }
}

extension WrappingKeyKind: ExpressibleByArgument {}

extension Home {
    /// The key that signs backups.
    var backupKey: String { secrets + "/backup.key" }
}

extension CeremonyResult {
    /// What people note down.
    func summary(next: String) -> String {
        """
        Wrapping key of epoch \(epoch), \(kind.rawValue).
        CKA_ID: \(Hex.encode(keyID))
        Check value: \(checkValue.map { Hex.encode($0) } ?? "none: nobody knows the value")
        Protocol: \(protocolFile)

        Next:
          \(next)
        """
    }
}

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
              shirushi hsm init --home /srv/shirushi --officer a.officer \\
                  --officer b.officer
              shirushi hsm init --home ./var/home --officer a.officer \\
                  --officer b.officer \\
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
            let next = NextSteps([work.residentHint, "shirushi serve --home \(home.home.path)"])
            if let first = try await work.begin(registering: true).begun.first {
                // The same command, after a fault between protocol and registry: nothing is left to do.
                print("\(first.text)\n\n\(next)")
                return
            }
            let result = try await work.withInitialisedToken(officerPINFile: officerPINFile) { token in
                try await work.ceremony.initialise(
                    token, officerPIN: token.officerPIN, kind: kind, backupKeyFile: home.home.backupKey)
            }
            try await work.registry.record(result)
            print("\(result.text)\n\n\(next)")
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
    var text: String {
        """
        Wrapping key of epoch \(epoch), \(kind.rawValue).
        CKA_ID: \(Hex.encode(keyID))
        Check value: \(checkValue.map { Hex.encode($0) } ?? "none: nobody knows the value")
        Protocol: \(protocolFile)
        """
    }
}

extension EpochRecord {
    /// What people note down of an epoch that an earlier ceremony signed.
    var text: String {
        """
        Wrapping key of epoch \(epoch), \(kind.rawValue), made and signed by an earlier ceremony; in the registry now.
        CKA_ID: \(Hex.encode(keyID))
        Check value: \(checkValue.map { Hex.encode($0) } ?? "none: nobody knows the value")
        """
    }
}

/// What to do after a command, in order.
struct NextSteps: CustomStringConvertible {
    private let steps: [String]

    init(_ steps: [String?]) { self.steps = steps.compactMap { $0 } }

    var description: String {
        guard steps.count > 1 else { return "Next:\n  \(steps.joined())" }
        let lines = steps.enumerated().map { "  \($0.offset + 1). \($0.element.replacing("\n", with: "\n     "))" }
        return "Next:\n\(lines.joined(separator: "\n"))"
    }
}

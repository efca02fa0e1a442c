import ArgumentParser
import Ceremony

/// `shirushi hsm epoch`: a new wrapping key, and a rotation key of the old one.
struct HSMEpochCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epoch",
        abstract: "Make the wrapping key of the next epoch; core then wraps every key anew while it serves.",
        discussion: """
            EXAMPLES
              shirushi hsm epoch --home /srv/shirushi --officer a.officer --officer b.officer
            """
    )

    @OptionGroup var home: HomeOption
    @OptionGroup var officers: OfficerOptions
    @Option(name: .customLong("wrapping-key"), help: "imported or generated, as for `hsm init`.")
    var kind = WrappingKeyKind.imported

    func run() async throws {
        try await inWords {
            let work = try TokenCeremony(home.home, officers)
            let token = try await work.knownToken()
            let result = try await work.ceremony.nextEpoch(token, officerPIN: token.officerPIN, kind: kind)
            try await CeremonyRegistry.record(result, home.home)
            await token.close()
            print(result.summary(next: "shirushi serve --home \(home.home.path)"))
        }
    }
}

/// `shirushi hsm retire`: destroys the keys of an epoch that nothing is wrapped under any more.
struct HSMRetireCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Destroy the wrapping key and the rotation key of an epoch in which no key is left.",
        discussion: """
            EXAMPLES
              shirushi hsm retire --home /srv/shirushi --epoch 1 --officer a.officer --officer b.officer
            """
    )

    @OptionGroup var home: HomeOption
    @OptionGroup var officers: OfficerOptions
    @Option(help: "The epoch whose keys are destroyed.") var epoch: Int

    func run() async throws {
        try await inWords {
            let work = try TokenCeremony(home.home, officers)
            try await CeremonyRegistry.checkUnused(epoch: epoch, home.home)
            let token = try await work.knownToken()
            let result = try await work.ceremony.retire(epoch: epoch, token, officerPIN: token.officerPIN)
            try await CeremonyRegistry.recordRetired(result, home.home)
            await token.close()
            print("Destroyed the keys of epoch \(epoch).\nProtocol: \(result.protocolFile)")
        }
    }
}

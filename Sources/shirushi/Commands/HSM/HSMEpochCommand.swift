import ArgumentParser
import Ceremony

/// `shirushi hsm epoch`: a new wrapping key, and a rotation key of the old one.
struct HSMEpochCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epoch",
        abstract: "Make the wrapping key of the next epoch; core then wraps every key anew while it serves.",
        discussion: """
            The instance may serve meanwhile; it takes the new key into use at once.

            EXAMPLES
              shirushi hsm epoch --home /srv/shirushi --officer a.officer \\
                  --officer b.officer
            """
    )

    @OptionGroup var home: HomeOption
    @OptionGroup var officers: OfficerOptions
    @Option(name: .customLong("wrapping-key"), help: "imported or generated, as for `hsm init`.")
    var kind = WrappingKeyKind.imported

    func run() async throws {
        try await inWords {
            let work = try TokenCeremony(home.home, officers, mayServe: true)
            // Epoch 1 is that of `hsm init`; a later one is what a run of this command left behind a fault.
            if let late = try await work.begin().begun.last, late.epoch > 1 {
                print("\(late.text)\n\n\(next(after: late.epoch, work))")
                return
            }
            let result = try await work.withKnownToken { token in
                try await work.ceremony.nextEpoch(token, officerPIN: token.officerPIN, kind: kind)
            }
            try await work.registry.record(result)
            print("\(result.text)\n\n\(next(after: result.epoch, work))")
        }
    }

    private func next(after epoch: Int, _ work: TokenCeremony) -> NextSteps {
        let place = "--home \(home.home.path)"
        return NextSteps([
            work.residentHint, work.registry.isServed ? nil : "shirushi serve \(place)",
            "shirushi keys rotation \(place) --wait",
            "shirushi hsm retire \(place) --epoch \(epoch - 1) --officer … --officer …",
        ])
    }
}

/// `shirushi hsm retire`: destroys the keys of an epoch that nothing is wrapped under any more.
struct HSMRetireCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Destroy the wrapping key and the rotation key of an epoch in which no key is left.",
        discussion: """
            The instance may serve meanwhile.

            EXAMPLES
              shirushi hsm retire --home /srv/shirushi --epoch 1 --officer a.officer \\
                  --officer b.officer
            """
    )

    @OptionGroup var home: HomeOption
    @OptionGroup var officers: OfficerOptions
    @Option(help: "The epoch whose keys are destroyed.") var epoch: Int

    func run() async throws {
        try await inWords {
            let work = try TokenCeremony(home.home, officers, mayServe: true)
            if try await work.begin().retired.contains(where: { $0.epoch == epoch }) {
                print("Epoch \(epoch): its keys were destroyed by an earlier ceremony, as the registry knows now.")
                return
            }
            try await work.registry.checkUnused(epoch: epoch)
            let result = try await work.withKnownToken { token in
                try await work.ceremony.retire(epoch: epoch, token, officerPIN: token.officerPIN)
            }
            try await work.registry.recordRetired(result)
            print("Destroyed the keys of epoch \(epoch).\nProtocol: \(result.protocolFile)")
        }
    }
}

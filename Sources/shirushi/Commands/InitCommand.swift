import ArgumentParser
import Core
import HPKI
import Host

/// `shirushi init`: makes an instance.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make an instance: configuration, folders, secrets and databases.",
        discussion: """
            With --development it also makes a SoftHSM token with random PINs, a development PKI shaped like the real
            one, five holders with second keys and with cards for logging in, and a development
            token issuer. An instance that exists already is left as it is.

            EXAMPLES
              shirushi init --home ./var/home --development
              shirushi init --home /srv/shirushi
            """
    )

    @OptionGroup var home: HomeOption
    @Flag(help: "Make a development instance, complete with a software token, authorities and holders.")
    var development = false
    @Option(name: .customLong("key-type"), help: "The second keys of a development instance.")
    var keyType = KeyType.rsa2048
    @Option(help: "Where a development instance's keys are kept: wrapped in the database, or resident in the token.")
    var custody = RegistrationSettings.Mode.wrapped

    func run() async throws {
        let home = home.home
        if Files.exists(home.configuration) {
            print("An instance exists already at \(home.path); nothing was changed.")
            return
        }
        if Files.exists(home.path), try !Files.names(in: home.path).isEmpty {
            throw CommandError(
                "\(home.path) is not empty and holds no instance; nothing was changed. Name another folder.")
        }
        if development {
            try await DevelopmentInstance(home: home, keyType: keyType, custody: custody).make()
            print(
                """
                Made a development instance at \(home.path).
                It is for trying out: its keys stand in a software token and nobody else trusts its authorities.
                Holders: doctor-1, dentist-1, pharmacist-1, nurse-1, director-1.

                Next:
                  shirushi serve --home \(home.path)
                  shirushi token --home \(home.path) --holder doctor-1
                """
            )
        } else {
            try NewInstance(home: home).make(kind: .production)
            print(
                """
                Made an instance at \(home.path). Before it can serve:
                  1. put the authorities' certificates into \(home.trust)/anchors and \(home.trust)/intermediates
                  2. name the PKCS#11 module, token and PIN file, the issuers and the listeners in \(home.configuration)
                  3. shirushi serve --home \(home.path) --check
                     which may complain of the PIN file alone: the first ceremony makes it
                  4. two officers: shirushi hsm officer for each, then shirushi hsm init (docs/ceremony.md);
                     or, without wrapped keys: keys.mode: resident
                """
            )
        }
    }
}

extension RegistrationSettings.Mode: ExpressibleByArgument {}

/// `--home DIR`, which every command on an instance takes.
struct HomeOption: ParsableArguments {
    @Option(name: .customLong("home"), help: "The instance's folder.")
    var path: String

    var home: Home { Home(path) }
}

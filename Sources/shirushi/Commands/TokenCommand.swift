import ArgumentParser
import Development
import HPKI
import Host
import Identity

/// `shirushi token`: an access token from the development issuer.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Print an access token for a holder of a development instance.",
        discussion: """
            EXAMPLES
              shirushi token --home ./var/home --holder doctor-1
              shirushi token --home ./var/home --holder doctor-1 --auth-age 64800
            """
    )

    @OptionGroup var home: HomeOption
    @Option(help: "The holder, such as doctor-1.") var holder: String
    @Option(name: .customLong("auth-age"), help: "Seconds since the holder is said to have logged in.")
    var authAge: Int64 = 0
    @Option(help: "How the holder is said to have logged in.") var acr = AuthenticationMethod.hpkiCard.rawValue
    @Option(help: "The client system; by default the demo pharmacy's for pharmacists, the demo hospital's for others.")
    var client: String?
    @Option(help: "Seconds for which the token is valid.") var lifetime: Int64 = 3600

    func run() async throws {
        let home = home.home
        let configuration = try Configuration.read(home)
        guard configuration.kind == .development, Files.exists(home.developmentIssuerKey),
            let settings = configuration.issuers.first(where: \.isDevelopment)
        else { throw CommandError("tokens are made here only for development instances; \(home.path) is none") }
        if !settings.speaksForRegistered, !settings.holders.contains(where: { $0.description == holder }) {
            Progress.say("shirushi: note: `issuers` does not name \(holder); the token is refused unless it is linked")
        }
        let pem = try SecretFile.read(home.developmentIssuerKey, atMost: 65_536).copiedBytes
        let issuer = try await DevelopmentIssuer(
            issuer: settings.issuer, privateKeyPEM: String(decoding: pem, as: UTF8.self), random: .live
        )
        let now = WallClock.live.now()
        print(
            try issuer.token(
                holderSubject: holder, audience: settings.audience,
                client: client ?? (holder.hasPrefix("pharmacist") ? "demo-pharmacy" : "demo-hospital"), acr: acr,
                amr: [acr == AuthenticationMethod.hpkiCard.rawValue ? "sc" : "hwk", "pin"],
                authTime: now.adding(seconds: -authAge), now: now, lifetime: lifetime,
                jti: Hex.encode(Random.live.bytes(16))
            )
        )
    }
}

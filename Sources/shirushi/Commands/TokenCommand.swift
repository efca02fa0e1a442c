import ArgumentParser
import Development
import HPKI
import Host
import Identity

/// `shirushi token`: an access token from the development issuer.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Print an access token for a holder, or for a reviewer of the log, of a development instance.",
        discussion: """
            EXAMPLES
              shirushi token --home ./var/home --holder doctor-1
              shirushi token --home ./var/home --holder doctor-1 --auth-age 64800
              shirushi token --home ./var/home --reviewer auditor
            """
    )

    @OptionGroup var home: HomeOption
    @Option(help: "The holder, such as doctor-1.") var holder: String?
    @Option(help: "Instead of a holder, somebody who looks at the log, by role: \(Self.roles).") var reviewer: String?
    @Option(name: .customLong("auth-age"), help: "Seconds since the holder is said to have logged in.")
    var authAge: Int64 = 0
    @Option(help: "How the holder is said to have logged in.") var acr = AuthenticationMethod.hpkiCard.rawValue
    @Option(help: "The client system; by default the demo pharmacy's for pharmacists, the demo hospital's for others.")
    var client: String?
    @Option(help: "Seconds for which the token is valid.") var lifetime: Int64 = 3600

    private static let roles = ReviewerRole.allCases.map(\.rawValue).joined(separator: ", ")

    func validate() throws {
        guard (holder == nil) != (reviewer == nil) else {
            throw ValidationError("give either --holder or --reviewer")
        }
        if let reviewer, ReviewerRole(rawValue: reviewer) == nil {
            throw ValidationError("--reviewer is one of: \(Self.roles)")
        }
    }

    func run() async throws {
        let home = home.home
        let configuration = try Configuration.read(home)
        guard configuration.kind == .development, Files.exists(home.developmentIssuerKey),
            let settings = configuration.issuers.first(where: \.isDevelopment)
        else { throw CommandError("tokens are made here only for development instances; \(home.path) is none") }
        let subject = holder ?? "\(reviewer ?? "")-1"
        if let holder, !settings.speaksForRegistered, !settings.holders.contains(where: { $0.description == holder }) {
            Progress.say("shirushi: note: `issuers` does not name \(holder); the token is refused unless it is linked")
        }
        let pem = try SecretFile.read(home.developmentIssuerKey, atMost: 65_536).copiedBytes
        let issuer = try await DevelopmentIssuer(
            issuer: settings.issuer, privateKeyPEM: String(decoding: pem, as: UTF8.self), random: .live
        )
        let now = WallClock.live.now()
        print(
            try issuer.token(
                holderSubject: subject, audience: settings.audience,
                client: client ?? (reviewer != nil ? "console" : Self.client(of: subject)), acr: acr,
                amr: [acr == AuthenticationMethod.hpkiCard.rawValue ? "sc" : "hwk", "pin"],
                authTime: now.adding(seconds: -authAge), now: now, lifetime: lifetime,
                jti: Hex.encode(Random.live.bytes(16)), reviewerRoles: reviewer.map { [$0] }
            )
        )
    }

    private static func client(of holder: String) -> String {
        holder.hasPrefix("pharmacist") ? "demo-pharmacy" : "demo-hospital"
    }
}

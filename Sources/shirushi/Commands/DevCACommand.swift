import ArgumentParser
import Certificates
import Development
import HPKI
import Host

/// `shirushi dev-ca`: the part of the certification authorities, played for a development instance.
struct DevCACommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev-ca",
        abstract: "Issue and revoke certificates as a development authority.",
        discussion: """
            EXAMPLES
              shirushi dev-ca issue --home ./var/home --authority medis \\
                  --request key.csr --holder doctor-2 --role "Medical Doctor" \\
                  --romaji-name "Hanako Kaihatsu" --japanese-name "開発　花子" \\
                  --out key.cer
              shirushi dev-ca revoke --home ./var/home --authority medis \\
                  --certificate key.cer --reason superseded
              shirushi dev-ca crl --home ./var/home
              shirushi dev-ca card --home ./var/home --holder doctor-1 --kind hpki
              shirushi dev-ca revoke-card --home ./var/home old.pem
            """,
        subcommands: [Issue.self, Revoke.self, CRL.self, Card.self, RevokeCard.self]
    )

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Certify the key of a PKCS#10 request, which must be signed by that key.",
            discussion: """
                EXAMPLE
                  shirushi dev-ca issue --home ./var/home --authority medis \\
                      --request key.csr --holder doctor-2 --role "Medical Doctor" \\
                      --romaji-name "Hanako Kaihatsu" --japanese-name "開発　花子" \\
                      --out key.cer
                """
        )

        @OptionGroup var home: HomeOption
        @Option(help: "The authority: jma, medis or jpa.") var authority: DevelopmentPKI.Authority
        @Option(help: "The request, in DER or PEM.") var request: String
        @Option(help: "The subject's serialNumber, such as doctor-2.") var holder: String
        @Option(name: .customLong("romaji-name"), help: "The holder's name in Latin letters.") var romajiName: String
        @Option(name: .customLong("japanese-name"), help: "The holder's name in Japanese.") var japaneseName: String
        @Option(name: .customLong("role"), help: "A role of hcRole, such as \"Medical Doctor\"; may be repeated.")
        var roles: [String] = []
        @Option(name: .customLong("from-days"), help: "Days from now to the first day of validity.") var fromDays = 0
        @Option(help: "Years of validity.") var years = 5
        @Option(help: "The file for the certificate, in DER.") var out: String

        func validate() throws {
            guard (-3650...3650).contains(fromDays), (1...50).contains(years) else {
                throw ValidationError("--from-days must be -3650 to 3650 and --years 1 to 50")
            }
        }

        func run() async throws {
            let file = try Files.read(
                Paths.absolute(request), atMost: 2 * ProvenCertificationRequest.byteLimit)
            let profile = HolderProfile(
                romajiName: romajiName, japaneseName: japaneseName, identifier: holder, roles: roles.map { HCRole($0) })
            let start = WallClock.live.now().adding(seconds: Int64(fromDays) * 86_400)
            let certificate = try DevelopmentAuthorities(home: try home.development).change { pki in
                do throws(DevelopmentPKIError) {
                    return try pki.issue(request: file, profile: profile, by: authority, now: start, years: years)
                } catch .badRequest(let reason) {
                    throw CommandError(reason.explanation)
                }
            }
            try Files.write(certificate.der, to: Paths.absolute(out), replacing: true)
            Progress.say("serial number \(certificate.serialHex), valid until \(certificate.notAfter.rfc3339 ?? "")")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a certificate and publish the new lists in trust/crls.",
            discussion: """
                EXAMPLE
                  shirushi dev-ca revoke --home ./var/home --authority medis \\
                      --certificate key.cer --reason superseded
                """
        )

        @OptionGroup var home: HomeOption
        @Option(help: "The authority: jma, medis or jpa.") var authority: DevelopmentPKI.Authority
        @Option(help: "The certificate, in DER or PEM.") var certificate: String
        @Option(help: "The reason, as in RFC 5280, such as superseded.") var reason = RevocationReason.unspecified.name

        func run() async throws {
            // removeFromCRL stands in delta lists alone (RFC 5280 §5.3.1).
            let known = RevocationReason.allCases.filter { $0 != .removeFromCRL }
            guard let reason = known.first(where: { $0.name == reason }) else {
                let names = known.map(\.name).joined(separator: ", ")
                throw CommandError("there is no reason \(reason); there are \(names)")
            }
            let file = try Files.read(Paths.absolute(certificate), atMost: 2 * HPKICertificate.byteLimit)
            let authorities = DevelopmentAuthorities(home: try home.development)
            try authorities.change { pki in
                guard let revoked = try HPKICertificate.read(file: file).first,
                    revoked.issuer == (try pki.certificate(of: authority)).subject
                else { throw CommandError("the certificate is not one of \(authority.rawValue)'s") }
                do throws(DevelopmentPKIError) {
                    try pki.revoke(
                        serial: revoked.serialNumber, of: authority, reason: reason, at: WallClock.live.now())
                } catch .unknownSerial {
                    throw CommandError("the certificate was not issued here, or is revoked already")
                }
            }
            try authorities.renewRevocationLists(always: true)
        }
    }

    struct CRL: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "crl",
            abstract: "Publish new revocation lists of all authorities.",
            discussion: """
                EXAMPLE
                  shirushi dev-ca crl --home ./var/home
                """
        )

        @OptionGroup var home: HomeOption

        func run() async throws {
            try DevelopmentAuthorities(home: try home.development).renewRevocationLists(always: true)
        }
    }
}

extension DevelopmentPKI.Authority: ExpressibleByArgument {}

extension DevelopmentPKI.Generation: ExpressibleByArgument {}

extension DevelopmentCards.Kind: ExpressibleByArgument {}

extension HomeOption {
    /// The home of a development instance; throws a sentence for people where it is none.
    var development: Home {
        get throws {
            guard Files.exists(home.developmentPKI) else {
                throw CommandError("\(home.path) is no development instance: it has no authorities of its own")
            }
            return home
        }
    }
}

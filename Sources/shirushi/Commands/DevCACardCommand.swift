import ArgumentParser
import Certificates
import Development
import HPKI
import Host

extension DevCACommand {
    struct Card: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make another card for logging in: a renewed one, an old one, or a stranger's.",
            discussion: """
                Writes KIND.pem and KIND.key, in the place of the holder's card unless --out
                names another folder. A holder that the instance was not made with gets an
                HPKI card with the roles that --role names.

                EXAMPLES
                  shirushi dev-ca card --home ./var/home --holder doctor-1 --kind jpki
                  shirushi dev-ca card --home ./var/home --holder stranger-1 --kind hpki \\
                      --role Dentist --expired --out ./cards/stranger
                """
        )

        @OptionGroup var home: HomeOption
        @Option(help: "The holder, such as doctor-1.") var holder: String
        @Option(help: "The kind of card: hpki or jpki.") var kind: DevelopmentCards.Kind
        @Option(help: "The key of the authority that signs: old or new.")
        var generation = DevelopmentPKI.Generation.new
        @Option(help: "The authority of an HPKI card: jma, medis or jpa; the holder's own unless given.")
        var authority: DevelopmentPKI.Authority?
        @Option(name: .customLong("role"), help: "A role of hcRole in place of the holder's own; may be repeated.")
        var roles: [String] = []
        @Flag(help: "A card whose validity ended a year ago.") var expired = false
        @Option(help: "The folder for the two files; the holder's own unless given.") var out: String?

        func validate() throws {
            let isPlain = holder.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "-")
            }
            guard isPlain, (1...64).contains(holder.utf8.count) else {
                throw ValidationError("--holder must be 1 to 64 letters, digits and hyphens")
            }
        }

        func run() async throws {
            let place = try home.development
            let known = DevelopmentInstance.holders.first { $0.id == holder }
            var profile =
                known?.profile
                ?? HolderProfile(
                    romajiName: "Shirushi Kaihatsu", japaneseName: "開発　印", identifier: holder, roles: [])
            if !roles.isEmpty { profile.roles = roles.map { HCRole($0) } }
            let order = DevelopmentCards.Order(
                kind: kind, profile: profile, authority: authority ?? known?.authority ?? .medis,
                generation: generation, isExpired: expired)
            let key = try DevelopmentKey.rsa2048()
            let certificate = try DevelopmentAuthorities(home: place).change { pki in
                try pki.mustHaveAuthentication()
                return try DevelopmentCards.issue(order, key, by: &pki, now: WallClock.live.now())
            }
            let folder = out.map { Paths.absolute($0) } ?? place.developmentCards + "/" + holder
            try DevelopmentCards(home: place).write(certificate, key, kind, to: folder)
            Progress.say("\(folder)/\(kind.rawValue).pem, valid until \(certificate.notAfter.rfc3339 ?? "")")
        }
    }

    struct RevokeCard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke-card",
            abstract: "Revoke a card for logging in and publish the new lists.",
            discussion: """
                EXAMPLE
                  shirushi dev-ca revoke-card --home ./var/home \\
                      ./var/home/development/cards/doctor-1/hpki.pem
                """
        )

        @OptionGroup var home: HomeOption
        @Argument(help: "The card's certificate, in PEM or DER.") var certificate: String

        func run() async throws {
            let file = try Files.read(Paths.absolute(certificate), atMost: 2 * HPKICertificate.byteLimit)
            let authorities = DevelopmentAuthorities(home: try home.development)
            try authorities.change { pki in
                try pki.mustHaveAuthentication()
                guard let card = try? HPKICertificate.read(file: file).first else {
                    throw CommandError("\(certificate) is no certificate")
                }
                do throws(DevelopmentPKIError) {
                    try pki.revokeCard(card, reason: .keyCompromise, at: WallClock.live.now())
                } catch .unknownSerial {
                    throw CommandError("the card was not issued here, or is revoked already")
                }
            }
            try authorities.renewRevocationLists(always: true)
        }
    }
}

extension DevelopmentPKI {
    /// Throws a sentence for people where the instance is older than such authorities.
    fileprivate func mustHaveAuthentication() throws(CommandError) {
        guard hasAuthentication else {
            throw CommandError("this instance was made without authorities for logging in; make a new one")
        }
    }
}

import ArgumentParser
import Certificates
import CoreProtocol
import HPKI
import Host

extension HoldersCommand {
    struct LinkCard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "link-card",
            abstract: "Link a My Number card to a holder, who may log in by it from then on.",
            discussion: """
                The file holds the card's certificate for user authentication. A card belongs
                to one holder; the holder's card before it is unlinked.

                EXAMPLE
                  shirushi holders link-card doctor-7 --home ./var/home \\
                      --certificate jpki.pem
                """
        )

        @Argument(help: "The holder.") var holder: HolderID
        @OptionGroup var home: HomeOption
        @Option(help: "The certificate, PEM or DER.") var certificate: String

        func run() async throws {
            let bytes = try Files.read(Paths.absolute(certificate), atMost: 65_536)
            guard let cards = try? HPKICertificate.read(file: bytes), let card = cards.first, cards.count == 1 else {
                throw CommandError("\(certificate) does not hold one certificate")
            }
            _ = try await AdminCall(home: home.home)(.linkCard(holder, certificate: card.der))
            print("linked a My Number card to \(holder)")
        }
    }

    struct UnlinkCard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unlink-card",
            abstract: "Unlink a holder's My Number card.",
            discussion: """
                EXAMPLE
                  shirushi holders unlink-card doctor-7 --home ./var/home
                """
        )

        @Argument(help: "The holder.") var holder: HolderID
        @OptionGroup var home: HomeOption

        func run() async throws {
            _ = try await AdminCall(home: home.home)(.unlinkCard(holder))
            print("unlinked the My Number card of \(holder)")
        }
    }
}

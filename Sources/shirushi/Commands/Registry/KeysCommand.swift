import ArgumentParser
import Certificates
import CoreProtocol
import HPKI
import Host

/// `shirushi keys`: the life of second keys.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Have keys made, certified, suspended, revoked and destroyed, in the place of an authority.",
        discussion: """
            All of it works while the instance serves, and may be repeated.

            EXAMPLES
              shirushi keys request doctor-7-a --holder doctor-7 --home ./var/home \\
                  --authority medis
              shirushi keys csr doctor-7-a --home ./var/home --authority medis \\
                  > doctor-7-a.csr
              shirushi keys deliver doctor-7-a doctor-7-a.pem --home ./var/home \\
                  --authority medis
              shirushi keys revoke doctor-7-a --reason keyCompromise --home ./var/home \\
                  --authority medis
            """,
        subcommands: [
            KeysRequest.self, KeysShow.self, KeysList.self, KeysCSR.self, KeysDeliver.self, KeysSuspend.self,
            KeysResume.self, KeysRevoke.self, KeysDestroy.self, KeysCRL.self, KeysAuditCommand.self,
            KeysRotation.self,
        ]
    )
}

struct KeysRequest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request",
        abstract: "Have a key made for a holder, or one that takes over from another.",
        discussion: """
            EXAMPLES
              shirushi keys request doctor-7-a --holder doctor-7 --home ./var/home \\
                  --authority medis
              shirushi keys request doctor-7-b --holder doctor-7 --replaces doctor-7-a \\
                  --type p-256 --home ./var/home --authority medis
            """
    )

    @Argument(help: "The new credential's name.") var credential: CredentialID
    @OptionGroup var registry: RegistryOptions
    @Option(help: "The holder.") var holder: HolderID
    @Option(name: .customLong("type"), help: "The type of key; left out, the first that is offered.")
    var keyType: KeyType?
    @Option(help: "The credential that this one takes over from.") var replaces: CredentialID?

    func run() async throws {
        try await registry.ask(
            .requestKey(KeyOrder(credential: credential, holder: holder, keyType: keyType, replaces: replaces))
        )
    }
}

struct KeysShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one credential.",
        discussion: """
            EXAMPLE
              shirushi keys show doctor-7-a --home ./var/home --authority medis
            """
    )

    @Argument(help: "The credential.") var credential: CredentialID
    @OptionGroup var registry: RegistryOptions

    func run() async throws { try await registry.ask(.credential(credential)) }
}

struct KeysList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the authority's credentials in the order of their ids.",
        discussion: """
            EXAMPLE
              shirushi keys list --holder doctor-7 --home ./var/home --authority medis
            """
    )

    @OptionGroup var registry: RegistryOptions
    @Option(help: "Of this holder only.") var holder: HolderID?
    @Option(help: "List behind this credential.") var after: CredentialID?

    func run() async throws {
        let call = try registry.connect()
        let limit = UInt16(clamping: RegistrationLimits.credentials)
        var after = after
        repeat {
            let reply = try await call(.listCredentials(of: holder, after: after, limit: limit))
            guard case .credentials(let credentials, let next) = reply else { throw CommandError("core gave no list") }
            for facts in credentials { registry.show(.credential(facts), .credentials([facts], next: nil)) }
            after = next
        } while after != nil
    }
}

struct KeysCSR: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "csr",
        abstract: "Print the certification request (PKCS#10) of a key, in PEM.",
        discussion: """
            EXAMPLE
              shirushi keys csr doctor-7-a --home ./var/home --authority medis \\
                  > doctor-7-a.csr
            """
    )

    @Argument(help: "The credential.") var credential: CredentialID
    @OptionGroup var registry: RegistryOptions

    func run() async throws {
        try await registry.ask(.certificationRequest(credential)) { reply in
            guard case .certificationRequest(let request) = reply else { return "" }
            // `print` ends the last line.
            return String(PEM.encode(request, label: "CERTIFICATE REQUEST").dropLast())
        }
    }
}

struct KeysDeliver: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliver",
        abstract: "Deliver the certificate of a key, PEM or DER.",
        discussion: """
            EXAMPLES
              shirushi keys deliver doctor-7-a doctor-7-a.pem --home ./var/home \\
                  --authority medis
              shirushi keys deliver doctor-7-b doctor-7-b.pem \\
                  --takes-over-at 2026-04-01T00:00:00+09:00 --home ./var/home \\
                  --authority medis
            """
    )

    @Argument(help: "The credential.") var credential: CredentialID
    @Argument(help: "The certificate's file.") var file: String
    @OptionGroup var registry: RegistryOptions
    @Option(name: .customLong("takes-over-at"), help: "When it takes effect (RFC 3339); left out, at once.")
    var takesOverAt: String?

    func run() async throws {
        let instant = try takesOverAt.map { text in
            guard let instant = Instant(rfc3339: text) else {
                throw CommandError("--takes-over-at: write it as 2026-04-01T00:00:00+09:00")
            }
            return instant
        }
        let certificate = try DERFile.read(file, label: PEM.certificateLabel)
        try await registry.ask(.deliver(credential, certificate: certificate, takesOverAt: instant))
    }
}

struct KeysSuspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend",
        abstract: "Suspend a credential: nothing is signed with it until it is resumed.",
        discussion: """
            EXAMPLE
              shirushi keys suspend doctor-7-a --home ./var/home --authority medis
            """
    )

    @Argument(help: "The credential.") var credential: CredentialID
    @OptionGroup var registry: RegistryOptions
    @Option(help: "Why (RFC 5280, 5.3.1).") var reason: RevocationReason = .certificateHold

    func run() async throws { try await registry.ask(.suspend(credential, reason: reason)) }
}

struct KeysResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Resume a suspended credential.",
        discussion: """
            EXAMPLE
              shirushi keys resume doctor-7-a --home ./var/home --authority medis
            """
    )

    @Argument(help: "The credential.") var credential: CredentialID
    @OptionGroup var registry: RegistryOptions

    func run() async throws { try await registry.ask(.resume(credential)) }
}

struct KeysRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a credential for good.",
        discussion: """
            EXAMPLE
              shirushi keys revoke doctor-7-a --reason keyCompromise --home ./var/home \\
                  --authority medis
            """
    )

    @Argument(help: "The credential.") var credential: CredentialID
    @OptionGroup var registry: RegistryOptions
    @Option(help: "Why (RFC 5280, 5.3.1).") var reason: RevocationReason

    func validate() throws {
        if reason == .certificateHold { throw ValidationError("certificateHold suspends: shirushi keys suspend.") }
    }

    func run() async throws { try await registry.ask(.revoke(credential, reason: reason)) }
}

struct KeysDestroy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy",
        abstract: "Delete the key of a revoked or expired credential, or of one that was never certified.",
        discussion: """
            EXAMPLE
              shirushi keys destroy doctor-7-a --home ./var/home --authority medis
            """
    )

    @Argument(help: "The credential.") var credential: CredentialID
    @OptionGroup var registry: RegistryOptions

    func run() async throws { try await registry.ask(.destroy(credential)) }
}

struct KeysCRL: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crl",
        abstract: "Deliver a revocation list of one of the authority's issuers, PEM or DER.",
        discussion: """
            EXAMPLE
              shirushi keys crl crl-sign2.crl --home ./var/home --authority medis
            """
    )

    @Argument(help: "The list's file.") var file: String
    @OptionGroup var registry: RegistryOptions

    func run() async throws {
        try await registry.ask(.takeRevocationList(try DERFile.read(file, label: PEM.crlLabel)))
    }
}

/// A file in DER, or in PEM with one block.
private enum DERFile {
    static func read(_ path: String, label: String) throws -> [UInt8] {
        let bytes = try Files.read(Paths.absolute(path), atMost: 16 << 20)
        guard let blocks = PEM.decode(bytes, label: label), !blocks.isEmpty else { return bytes }
        guard blocks.count == 1 else { throw CommandError("\(path) holds \(blocks.count) blocks; one is expected") }
        return blocks[0]
    }
}

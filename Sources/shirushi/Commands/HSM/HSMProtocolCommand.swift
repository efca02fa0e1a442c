import ArgumentParser
import Ceremony
import HPKI
import Host

/// `shirushi hsm protocol`: what ceremonies left behind.
struct HSMProtocolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "protocol",
        abstract: "Check the signed protocols of ceremonies.",
        discussion: """
            EXAMPLE
              shirushi hsm protocol verify --home /srv/shirushi
            """,
        subcommands: [Verify.self]
    )

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the officers' signatures on a protocol against the register, or on all of them in a row.",
            discussion: """
                EXAMPLES
                  shirushi hsm protocol verify --home /srv/shirushi
                  shirushi hsm protocol verify 20261126T120000Z-1-initialise.json \\
                      --home /srv/shirushi
                """
        )

        @Argument(
            help: """
                A protocol's file, or its name in custody/protocols; without one, every protocol of the instance, and \
                that none is missing.
                """)
        var file: String?
        @OptionGroup var home: HomeOption

        func run() throws {
            let folder = CustodyFolder(home: home.home.path)
            do {
                let register = try folder.register()
                let protocols: [CeremonyProtocol]
                if let file {
                    let isName = !file.contains("/") && !Files.exists(file)
                    let path = isName ? "\(folder.protocolFolder)/\(file)" : file
                    let bytes = try Files.read(path, atMost: 1 << 20)
                    protocols = [try CeremonyProtocol(bytes, at: path, register: register)]
                } else {
                    protocols = try folder.protocols()
                }
                for each in protocols { print(each.record.line) }
                print("\(protocols.count) protocols hold. The officers registered:")
                for officer in register.officers { print("  \(officer.fingerprint)  \(officer.name)") }
            } catch let error as CeremonyError {
                throw CommandError("\(error)")
            } catch let error as HostError {
                throw CommandError("\(error)")
            }
        }
    }
}

extension CeremonyRecord {
    fileprivate var line: String {
        let names = officers.map(\.name).joined(separator: " and ")
        let token = token.map { ", token \($0.label) (\($0.serial))" } ?? ""
        let keys = keys.map { "\($0.act.rawValue) \($0.label)" }.joined(separator: ", ")
        return "\(number)  \(time)  \(what.rawValue)\(token): \(keys)  signed by \(names)"
    }
}

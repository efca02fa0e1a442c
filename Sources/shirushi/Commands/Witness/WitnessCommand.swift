import ArgumentParser
import Core
import HPKI
import Host
import Logging
import ServiceLifecycle
import Transparency
import UnixSignals
import Web
import Witness

/// `shirushi witness`: vouches for other instances' logs, on a machine of somebody else.
struct WitnessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "witness",
        abstract: "Cosign the checkpoints of logs, so that none can be rolled back unseen.",
        discussion: """
            A witness runs apart from the instances that it watches, best by
            other people. It needs no token, no database server and no home.

            EXAMPLES
              shirushi witness init --folder ./witness --name witness.example/w1
              shirushi witness trust "$(shirushi audit keys show \\
                --home ./var/home)" --folder ./witness
              shirushi witness serve --folder ./witness --port 8470
            """,
        subcommands: [Init.self, Trust.self, Distrust.self, Show.self, Serve.self, Forget.self]
    )

    struct Folder: ParsableArguments {
        @Option(help: "The witness's folder.") var folder: String

        func open() throws -> Witness {
            do { return try Witness(folder: Paths.absolute(folder), clock: .live) } catch {
                throw CommandError("\(error)")
            }
        }
    }

    struct Init: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a witness with a key of its own, and print the key for the logs' configurations.",
            discussion: """
                EXAMPLE
                  shirushi witness init --folder ./witness --name witness.example/w1
                """
        )

        @OptionGroup var folder: Folder
        @Option(help: "The witness's name, without spaces and plus signs.") var name: String

        func run() throws {
            do {
                print(try Witness.create(in: Paths.absolute(folder.folder), name: name, random: .live).text)
            } catch { throw CommandError("\(error)") }
        }
    }

    struct Trust: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Watch the log that signs with a key; give the new key before a log's key rotates.",
            discussion: """
                EXAMPLE
                  shirushi witness trust "shirushi.example/2026+1a2b3c4d+AX..." \\
                    --folder ./witness
                """
        )

        @Argument(help: "Keys as shirushi audit keys show prints them.") var keys: [String]
        @OptionGroup var folder: Folder

        func run() async throws {
            let witness = try folder.open()
            let keys = try keys.flatMap { $0.split(whereSeparator: \.isWhitespace) }.map {
                try LogKeyText.read("\($0)")
            }
            for key in keys {
                do { try await witness.trust(key) } catch { throw CommandError("\(error)") }
                print("watching \(key.name) by its key \(key.keyIDText)")
            }
        }
    }

    struct Distrust: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take no signature by a key any more, as after a log's key was retired.",
            discussion: """
                EXAMPLE
                  shirushi witness distrust "shirushi.example/2026+1a2b3c4d+AX..." \\
                    --folder ./witness
                """
        )

        @Argument(help: "The key.") var key: String
        @OptionGroup var folder: Folder

        func run() async throws {
            let key = try LogKeyText.read(key)
            do { try await folder.open().distrust(key) } catch let error as WitnessError {
                throw CommandError("\(error)")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the witness's key, and what it has seen of which logs.",
            discussion: """
                EXAMPLE
                  shirushi witness show --folder ./witness
                """
        )

        @OptionGroup var folder: Folder

        func run() async throws {
            let witness = try folder.open()
            print(witness.key.text)
            do {
                for (key, size) in try await witness.watched() {
                    print("  \(key.text)  \(size.map { "\($0) records cosigned" } ?? "nothing cosigned yet")")
                }
            } catch { throw CommandError("\(error)") }
        }
    }

    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a log begin anew, after a disaster took its end and an inquiry is closed.",
            discussion: """
                Prints what was cosigned last; keep it: it is the proof of what
                was lost.

                EXAMPLE
                  shirushi witness forget shirushi.example/2026 --folder ./witness
                """
        )

        @Argument(help: "The log's origin.") var origin: String
        @OptionGroup var folder: Folder

        func run() async throws {
            let witness = try folder.open()
            do {
                guard let note = try await witness.checkpoint(originHash: Witness.hash(of: origin)) else {
                    throw CommandError("nothing of \(origin) was cosigned")
                }
                try await witness.forget(origin)
                print(note, terminator: "")
            } catch let error as WitnessError { throw CommandError("\(error)") }
        }
    }

    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Answer logs until interrupted.",
            discussion: """
                What comes and goes is signed, so that plain HTTP does in a
                network of one's own. SIGTERM ends it.

                EXAMPLES
                  shirushi witness serve --folder ./witness --port 8470
                  shirushi witness serve --folder ./witness --address 0.0.0.0 \\
                    --port 443 --certificate chain.pem --key key.pem
                """
        )

        @OptionGroup var folder: Folder
        @Option(help: "The address to listen on.") var address = "127.0.0.1"
        @Option(help: "The port.") var port = 8470
        @Option(help: "A PEM file with the server's certificate and its issuers, for TLS.") var certificate: String?
        @Option(help: "A PEM file with its key.") var key: String?

        func validate() throws {
            guard (certificate == nil) == (key == nil) else {
                throw ValidationError("--certificate and --key go together")
            }
            guard (0...65_535).contains(port) else { throw ValidationError("--port must be 0 to 65535") }
        }

        func run() async throws {
            try ProcessHardening.disableCoreDumps()
            let witness = try folder.open()
            let logger = Log.make("witness", kind: .production)
            let tls = certificate.flatMap { certificate in
                key.map { (Paths.absolute(certificate), Paths.absolute($0)) }
            }
            let listener = try WitnessListener(witness, address: address, port: port, tls: tls, logger: logger) {
                port in
                logger.info("witness ready", metadata: ["key": "\(witness.key.text)", "port": "\(port)"])
            }
            try await ServiceGroup(
                configuration: .init(
                    services: [listener], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            ).run()
        }
    }
}

private enum LogKeyText {
    static func read(_ text: String) throws -> NoteKey {
        do { return try NoteKey(text) } catch { throw CommandError("\(text) is no log's key: \(error)") }
    }
}

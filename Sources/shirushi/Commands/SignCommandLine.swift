import ArgumentParser
import Foundation
import HPKI
import Host
import Outbound

/// `shirushi sign`: posts a document to a server and writes the signed one.
struct SignCommandLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Have a prescription or dispensing result signed by a server.",
        discussion: """
            EXAMPLE
              shirushi sign prescription --server https://localhost:8443 \\
                  --ca ./var/home/development/tls/ca.pem --token-file token \\
                  --csv prescription.csv --out prescription.xml
            """,
        subcommands: [Prescription.self, Dispensing.self]
    )

    struct Prescription: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have a prescription signed.",
            discussion: """
                EXAMPLE
                  shirushi sign prescription --server https://localhost:8443 \\
                      --ca ./var/home/development/tls/ca.pem --token-file token \\
                      --csv prescription.csv --out prescription.xml
                """
        )

        @OptionGroup var server: ServerOptions
        @Option(help: "The prescription's CSV: UTF-8, LF, first line SJ1.") var csv: String?
        @Option(help: "The unsigned prescription XML, instead of a CSV.") var document: String?

        func validate() throws {
            if (csv == nil) == (document == nil) { throw ValidationError("Name either --csv or --document.") }
        }

        func run() async throws {
            var body: [String: Any] = [:]
            if let csv { body["csv"] = try Self.encoded(csv) }
            if let document { body["document"] = try Self.encoded(document) }
            try await server.post("/v1/prescriptions", body)
        }

        fileprivate static func encoded(_ path: String) throws -> String {
            Base64.encode(try Files.read(Paths.absolute(path), atMost: 64 << 20))
        }
    }

    struct Dispensing: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have a dispensing result signed.",
            discussion: """
                EXAMPLE
                  shirushi sign dispensing --server https://localhost:8443 \\
                      --ca ./var/home/development/tls/ca.pem --token-file token \\
                      --prescription prescription.xml --csv dispensing.csv \\
                      --out dispensing.xml
                """
        )

        @OptionGroup var server: ServerOptions
        @Option(help: "The signed prescription XML as received.") var prescription: String
        @Option(help: "The dispensing CSV: UTF-8, LF, first line CJ1.") var csv: String
        @Option(help: "A reason that the pharmacist acknowledges; may be repeated.") var acknowledge: [String] = []

        func run() async throws {
            var body: [String: Any] = [
                "prescription": try Prescription.encoded(prescription), "csv": try Prescription.encoded(csv),
            ]
            if !acknowledge.isEmpty { body["acknowledge"] = acknowledge }
            try await server.post("/v1/dispensings", body)
        }
    }
}

/// Where to post, as whom, and where the answer goes.
struct ServerOptions: ParsableArguments {
    @Option(help: "The server's address, such as https://localhost:8443.") var server: String
    @Option(help: "The authority of the server's TLS certificate, PEM; left out, the system's.") var ca: String?
    @Option(name: .customLong("token-file"), help: "The file that holds the access token.") var tokenFile: String
    @Option(help: "The credential to sign with, where more than one fits.") var credential: String?
    @Option(name: .customLong("idempotency-key"), help: "Repeat a request with the same key, and it signs once.")
    var idempotencyKey: String?
    @Option(help: "The file for the signed XML.") var out: String

    /// Posts `body` and writes the document of the answer.
    func post(_ path: String, _ body: [String: Any]) async throws {
        // A document that is signed and cannot be written would be lost.
        let out = Paths.absolute(out)
        let folder = Paths.absolute(out + "/..")
        guard Files.exists(folder) else { throw CommandError("--out: there is no folder \(folder)") }
        var body = body
        if let credential { body["credentialID"] = credential }
        let token = String(decoding: try Files.read(Paths.absolute(tokenFile), atMost: 65_536), as: UTF8.self)
        var headers = [
            OutboundHeader("Content-Type", "application/json"),
            OutboundHeader("Authorization", "Bearer " + token.trimmingCharacters(in: .whitespacesAndNewlines)),
        ]
        if let idempotencyKey { headers.append(OutboundHeader("Idempotency-Key", idempotencyKey)) }
        let roots = try ca.map { try Files.read(Paths.absolute($0), atMost: 1 << 20) }
        let outbound = try Outbound(rules: OutboundRules(allowPrivateAddresses: true, trustRootsPEM: roots))
        let response = try await outbound.send(
            OutboundRequest(
                server + path, method: "POST", headers: headers,
                body: Array(try JSONSerialization.data(withJSONObject: body)), limit: 128 << 20, timeoutSeconds: 60
            )
        )
        let answer = (try? JSONSerialization.jsonObject(with: Data(response.body))) as? [String: Any] ?? [:]
        guard response.status == 200, let text = answer["document"] as? String, let document = Base64.decode(text)
        else {
            throw CommandError(Self.problem(response.status, answer))
        }
        try Files.write(document, to: out, mode: 0o644)
        print("signed \(answer["signatureId"] ?? "") at \(answer["signedAt"] ?? "")")
    }

    private static func problem(_ status: Int, _ answer: [String: Any]) -> String {
        var lines = ["\(answer["title"] ?? "the server answered \(status)"): \(answer["detail"] ?? "")"]
        for key in ["type", "rule", "reasons", "next", "requestId"] {
            if let value = answer[key] { lines.append("  \(key): \(value)") }
        }
        return lines.joined(separator: "\n")
    }
}

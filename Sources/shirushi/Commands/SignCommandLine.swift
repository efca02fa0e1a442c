import ArgumentParser
import Foundation
import HPKI
import Host
import Outbound

/// `shirushi sign`: posts a document to a server and writes the signed one.
struct SignCommandLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Have a prescription, dispensing result or other document signed by a server.",
        discussion: """
            EXAMPLE
              shirushi sign prescription --server https://localhost:8443 \\
                  --ca ./var/home/development/tls/ca.pem --token-file token \\
                  --csv prescription.csv --out prescription.xml
            """,
        subcommands: [Prescription.self, Dispensing.self, SignOtherDocument.self]
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
            Base64.encode(try ServerOptions.read(path))
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
    @Option(help: "The file for the signed document or signature.") var out: String

    /// The bytes of a file that a person named.
    static func read(_ path: String) throws -> [UInt8] {
        do { return try Files.read(Paths.absolute(path), atMost: 64 << 20) } catch {
            throw CommandError("\(path) cannot be read: \(error)", code: 64)
        }
    }

    /// Posts `body` and writes the document of the answer.
    func post(_ path: String, _ body: [String: Any]) async throws {
        let out = try place()
        let answer = try await answer(to: path, body)
        guard let text = answer["document"] as? String, let document = Base64.decode(text) else {
            throw CommandError("the server's answer holds no document")
        }
        try write(document, to: out, answer)
    }

    /// The file to write, in a folder that is there: a document that is signed and cannot be written would be lost.
    func place() throws -> String {
        let out = Paths.absolute(out)
        let folder = Paths.absolute(out + "/..")
        guard Files.exists(folder) else { throw CommandError("--out: there is no folder \(folder)") }
        return out
    }

    func write(_ document: [UInt8], to out: String, _ answer: [String: Any]) throws {
        try Files.write(document, to: out, mode: 0o644)
        print("signed \(answer["signatureId"] ?? "") at \(answer["signedAt"] ?? "")")
    }

    /// The members of the answer to `body`; throws the server's problem in words.
    func answer(to path: String, _ body: [String: Any]) async throws -> [String: Any] {
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
        guard response.status == 200 else { throw CommandError(Self.problem(response.status, answer)) }
        return answer
    }

    private static func problem(_ status: Int, _ answer: [String: Any]) -> String {
        var lines = ["\(answer["title"] ?? "the server answered \(status)"): \(answer["detail"] ?? "")"]
        for key in ["type", "rule", "reasons", "next", "requestId"] {
            if let value = answer[key] { lines.append("  \(key): \(value)") }
        }
        return lines.joined(separator: "\n")
    }
}

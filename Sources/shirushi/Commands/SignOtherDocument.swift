import ArgumentParser
import HPKI
import Signing

/// `shirushi sign document`: a baseline signature over any document, which may stay here.
struct SignOtherDocument: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "document",
        abstract: "Have any other document signed, as XAdES or CAdES.",
        discussion: """
            With --local the document does not leave this machine: its digest is sent, and the signature that comes back
            is put together with it here. The whole is verified before it is written; what does not hold is not.

            Packagings of xades: enveloped, enveloping, detached, internally-detached. Of
            cades: attached, detached.

            EXAMPLES
              shirushi sign document letter.xml --server https://localhost:8443 \\
                  --ca ./var/home/development/tls/ca.pem --token-file token \\
                  --out signed.xml --local
              shirushi sign document scan.pdf --format cades --packaging detached \\
                  --level B-LT --server https://localhost:8443 --token-file token \\
                  --out scan.p7s
            """
    )

    @Argument(help: "The document.") var file: String
    @Option(help: "xades or cades.") var format = "xades"
    @Option(help: "Where the signature is; enveloped for xades, detached for cades.") var packaging: String?
    @Option(help: "B-B, B-T, B-LT or B-LTA.") var level = SignatureLevel.bB.rawValue
    @Option(help: "The name of a detached document, for xades.") var name: String?
    @Option(name: .customLong("element-id"), help: "The id of the covered element, for internally-detached.")
    var elementID: String?
    @Option(name: .customLong("mime-type"), help: "The document's media type, for xades.") var mimeType: String?
    @Option(name: .customLong("signature-algorithm"), help: "Such as rsa-pkcs1-sha512; the key's usual one.")
    var algorithm: String?
    @Flag(help: "Send the digest alone.") var local = false
    @Option(help: "The digest's function with --local: sha256, sha384 or sha512.") var digest = DigestAlgorithm.sha256
        .rawValue
    @OptionGroup var server: ServerOptions

    func run() async throws {
        let out = try server.place()
        let document = try ServerOptions.read(file)
        let packaging = packaging ?? (format == "cades" ? "detached" : "enveloped")
        var body: [String: Any] = ["format": format, "packaging": packaging, "level": level]
        if let algorithm { body["signatureAlgorithm"] = algorithm }
        var words: [String: Any] = [:]
        for (key, word) in [("name", name), ("elementId", elementID), ("mimeType", mimeType)] {
            if let word { words[key] = word }
        }
        guard local else {
            body["documents"] = [words.merging(["document": Base64.encode(document)]) { $1 }]
            let (bytes, answer) = try await signature(of: body)
            return try server.write(bytes, to: out, answer)
        }
        let here = try prepared(document, packaging)
        guard let function = DigestAlgorithm(rawValue: digest) else {
            throw ValidationError("--digest is sha256, sha384 or sha512.")
        }
        let value = try told { () throws(Failure) in try here.digest(by: function) }
        words["digest"] = Base64.encode(value.bytes)
        words["digestAlgorithm"] = function.rawValue
        if let id = here.elementID { words["elementId"] = id }
        body["documentDigests"] = [words]
        let (bytes, answer) = try await signature(of: body)
        let whole: [UInt8]
        do throws(Failure) { whole = try here.assembled(with: bytes) } catch {
            let reasons = error.reasons.isEmpty ? "" : " (\(error.reasons.joined(separator: ", ")))"
            throw CommandError(
                "\(error.detail)\(reasons)\nNothing was written; the service's signature is recorded there.")
        }
        try server.write(whole, to: out, answer)
    }

    private func prepared(_ document: [UInt8], _ packaging: String) throws -> LocalDocument {
        let chosen: SignatureOrder.Packaging? =
            switch format {
            case "xades": SignatureOrder.Packaging.XAdES(rawValue: packaging).map { .xades($0) }
            case "cades": SignatureOrder.Packaging.CAdES(rawValue: packaging).map { .cades($0) }
            default: nil
            }
        guard let chosen else { throw ValidationError("There is no packaging \(packaging) of the format \(format).") }
        let item = SignatureOrder.Item(
            source: .document(document), name: name, elementID: elementID, mimeType: mimeType)
        return try told { () throws(Failure) in try LocalDocument(item, chosen) }
    }

    private func signature(of body: [String: Any]) async throws -> ([UInt8], [String: Any]) {
        let answer = try await server.answer(to: "/v1/signatures", body)
        guard let one = (answer["signatures"] as? [[String: Any]])?.first, let text = one["signature"] as? String,
            let bytes = Base64.decode(text)
        else { throw CommandError("the server's answer holds no signature") }
        return (bytes, one)
    }

    private func told<Value>(_ body: () throws(Failure) -> Value) throws -> Value {
        do throws(Failure) { return try body() } catch { throw CommandError(error.detail) }
    }
}

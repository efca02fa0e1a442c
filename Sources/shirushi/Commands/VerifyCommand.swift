import ArgumentParser
import Certificates
import HPKI
import Host
import Validation

/// `shirushi verify`: judges the signatures of a document.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Judge the signatures of a document: a prescription, a dispensing result, or any XML or CMS.",
        discussion: """
            Says who signed, in what role, when, and what the signature covers.
            Exit 0 passed, 1 failed, 2 indeterminate, 64 wrong usage. Without --trust no signer can be trusted, so a good
            signature is indeterminate. Nothing is ever fetched.

            EXAMPLES
              shirushi verify prescription.xml --trust ./var/home/trust
              shirushi verify prescription.xml --json
              shirushi verify letter.p7s --content letter.pdf --trust ./trust \\
                  --format html
            """
    )

    /// How the report is written.
    enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
        case text
        case json
        case xml
        case html
    }

    @Argument(help: "The signed document: XML, or CMS in DER.") var file: String
    @Option(help: "A folder with anchors/, intermediates/ and crls/, and the same below timestamps/.")
    var trust: String?
    @Option(help: "The data of a detached signature.") var content: String?
    @Option(help: "A validation policy; by default the one that ships.") var policy: String?
    @Option(help: "text, json, xml or html.") var format: Format?
    @Flag(help: "The same as --format json.") var json = false
    @Option(help: .hidden) var `repeat`: Int?

    func run() async throws {
        let bytes = try read(file)
        let content = try content.map(read)
        let validator = try validator()
        func judge() -> ValidationReport {
            validator.judge(bytes, detached: DetachedContent(single: content), at: WallClock.live.now())
        }
        let report = judge()
        switch format ?? (json ? .json : .text) {
        case .text: print(report.text)
        case .json: print(report.json)
        case .xml: print(report.xml)
        case .html: print(report.html)
        }
        if let count = `repeat`, count > 0 {
            // For the benchmark: without start-up, and without writing the report.
            let start = ProcessTime.now
            for _ in 0..<count { _ = judge() }
            print("CPU microseconds each: \(Double(ProcessTime.now - start) / Double(count) / 1000)")
        }
        throw ExitCode(report.result.exitCode)
    }

    private func validator() throws -> SignatureValidator {
        let rules = try ValidationPolicy.load(policy.map(Paths.absolute))
        guard let trust else {
            guard rules.signerTrust.isEmpty else {
                throw CommandError("a policy that names anchors needs --trust too", code: 64)
            }
            return SignatureValidator(trust: TrustStore(anchors: []), crls: CRLStore(), policy: rules)
        }
        do {
            return try TrustSnapshot(folder: Paths.absolute(trust), policy: rules).validator
        } catch {
            throw CommandError("the trust folder cannot be used: \(error)", code: 64)
        }
    }

    private func read(_ path: String) throws -> [UInt8] {
        do {
            return try Files.read(Paths.absolute(path), atMost: 64 << 20)
        } catch {
            throw CommandError("\(path) cannot be read: \(error)", code: 64)
        }
    }
}

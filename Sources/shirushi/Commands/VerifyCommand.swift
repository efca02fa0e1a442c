import ArgumentParser
import Certificates
import HPKI
import Host
import Validation

/// `shirushi verify`: judges a signed prescription or dispensing result.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Judge the signatures of a prescription or dispensing result.",
        discussion: """
            Says who signed, in what role, when, and what the signature covers.
            Exit 0 passed, 1 failed, 2 indeterminate, 64 wrong usage. Without --trust no signer can be trusted, so a good
            signature is indeterminate.

            EXAMPLES
              shirushi verify prescription.xml --trust ./var/home/trust
              shirushi verify prescription.xml --json
            """
    )

    @Argument(help: "The signed XML document.") var file: String
    @Option(help: "A folder with anchors/, intermediates/ and crls/.") var trust: String?
    @Flag(help: "A report for machines.") var json = false

    func run() async throws {
        let bytes: [UInt8]
        do { bytes = try Files.read(Paths.absolute(file), atMost: 64 << 20) } catch {
            throw CommandError("\(file) cannot be read: \(error)", code: 64)
        }
        let validator: SignatureValidator
        do {
            validator = try trust.map { try TrustSnapshot(folder: Paths.absolute($0)).validator } ?? .trustingNobody
        } catch {
            throw CommandError("the trust folder cannot be used: \(error)", code: 64)
        }
        let report = validator.judge(bytes, at: WallClock.live.now())
        print(json ? report.json : report.text)
        throw ExitCode(report.result.exitCode)
    }
}

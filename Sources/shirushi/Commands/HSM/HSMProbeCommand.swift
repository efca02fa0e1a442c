import ArgumentParser
import Glibc
import HPKI
import Host
import PKCS11

/// `shirushi hsm probe`: what a PKCS#11 module does, and which custody is safe on it.
struct HSMProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Find out what a PKCS#11 module can do and whether keys are safe with it.",
        discussion: """
            Give it a scratch token: objects are made and destroyed in it. With the officer's PIN it makes a wrapping
            key as wrapped custody asks for, attacks it with the user's rights, and removes it. Without that PIN
            wrapped custody cannot be judged, which counts as not allowed. A PIN is given to the token once.

            Exit status: 0 when wrapped custody is allowed, 3 when resident custody alone is, 1 when neither is.

            EXAMPLES
              shirushi hsm probe --module /usr/lib/softhsm/libsofthsm2.so \\
                  --token scratch --pin-file user.pin --officer-pin-file officer.pin
              shirushi hsm probe --module /usr/lib/x86_64-linux-gnu/libsoftokn3.so \\
                  --token "NSS Certificate DB" --pin-file user.pin \\
                  --initialize-arguments \\
                  "configdir='sql:/srv/nss' certPrefix='' keyPrefix='' secmod=''"
            """
    )

    @Option(help: "The module's shared library.") var module: String
    @Option(help: "The token's label.") var token: String
    @Option(name: .customLong("pin-file"), help: "A file with the user's PIN.") var pinFile: String
    @Option(name: .customLong("officer-pin-file"), help: "A file with the security officer's PIN.")
    var officerPINFile: String?
    @Option(name: .customLong("initialize-arguments"), help: "A text for C_Initialize, for modules that read one.")
    var initializeArguments: String?
    @Option(name: .customLong("key-type"), help: "A type of key to make and time, such as p-256; by default all.")
    var keyTypes: [String] = []
    @Flag(help: "Print JSON.") var json = false
    @Flag(help: "Print one row of the table in docs/hsm.md.") var markdown = false

    func validate() throws {
        if let unknown = keyTypes.first(where: { name in KeyType(rawValue: name) == nil }) {
            throw ValidationError("no type of key is called \(unknown)")
        }
        if json && markdown { throw ValidationError("--json and --markdown exclude each other") }
    }

    func run() async throws {
        let (userPIN, officerPIN) = (try pin(pinFile), try officerPINFile.map(pin))
        let report: ProbeReport
        do throws(PKCS11Error) {
            report = try await ModuleProbe.run(
                path: module, label: token, pin: userPIN, officerPIN: officerPIN,
                initializeArguments: initializeArguments,
                keyTypes: keyTypes.isEmpty ? KeyType.allCases : keyTypes.compactMap(KeyType.init(rawValue:)))
        } catch {
            throw CommandError("the module cannot be probed: \(error)")
        }
        if json {
            print(try ProbeText(report).json())
        } else if markdown {
            print(ProbeText(report).markdownRow)
        } else {
            print(ProbeText(report).table)
        }
        if !report.allowsWrappedCustody { throw ExitCode(report.allowsResidentCustody ? 3 : 1) }
    }

    private func pin(_ path: String) throws -> PIN {
        var bytes = try SecretFile.read(path, atMost: 1024).copiedBytes
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty else { throw CommandError("\(path) is empty") }
        return PIN(consuming: &bytes)
    }
}

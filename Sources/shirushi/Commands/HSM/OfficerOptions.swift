import ArgumentParser
import Ceremony
import HPKI
import Host

/// `--officer FILE`, once for each officer who is present, and where their passphrases come from.
struct OfficerOptions: ParsableArguments {
    @Option(name: .customLong("officer"), help: "An officer's file; give it once for each officer who is present.")
    var files: [String] = []
    @Option(
        name: .customLong("passphrase-file"),
        help: "A file with an officer's passphrase, in the order of --officer; without it, the terminal is asked.")
    var passphraseFiles: [String] = []

    func validate() throws {
        guard passphraseFiles.isEmpty || passphraseFiles.count == files.count else {
            throw ValidationError("give --passphrase-file once for each --officer, or not at all")
        }
    }

    /// The officers, unlocked; two different ones at least.
    func present() throws -> PresentOfficers {
        guard files.count >= 2 else {
            throw CommandError("two different officers are needed: give --officer twice, each with another's file")
        }
        var officers: [Officer] = []
        do {
            var names: [String] = []
            for file in files {
                let bytes = try SecretFile.read(file, atMost: 65_536).copiedBytes
                // Named twice, nobody is asked for a passphrase in vain.
                let identity = try Officer.unverifiedIdentity(inFile: bytes, at: file)
                if names.contains(identity.name) { throw CeremonyError.sameOfficer(identity.name) }
                names.append(identity.name)
                let words = try PassphraseSource.read(
                    file: passphraseFiles.isEmpty ? nil : passphraseFiles[officers.count],
                    prompt: "Passphrase of \(identity.name): ")
                officers.append(try Officer.open(file: bytes, at: file, under: words))
            }
            return try PresentOfficers(officers)
        } catch let error as CeremonyError {
            throw CommandError("\(error)")
        } catch let error as HostError {
            throw CommandError("\(error)")
        }
    }
}

/// Where a passphrase comes from: a file of its owner's alone, or the terminal.
enum PassphraseSource {
    static func read(file: String?, prompt: String) throws -> LockedBytes {
        do {
            if let file { return try SecretFile.read(file, atMost: 1024).withoutTrailingNewline() }
            return try Terminal.readSecret(prompt: prompt)
        } catch {
            throw CommandError(
                file == nil ? "no terminal to ask for the passphrase (\(error)); use --passphrase-file" : "\(error)")
        }
    }
}

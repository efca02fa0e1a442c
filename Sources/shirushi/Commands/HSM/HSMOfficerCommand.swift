import ArgumentParser
import Ceremony
import HPKI
import Host

/// `shirushi hsm officer`: makes an officer's credential file.
struct HSMOfficerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "officer",
        abstract: "Make an officer's file, protected by a passphrase that only the officer knows.",
        discussion: """
            Each officer makes a file, keeps it on a medium of his or her own, and tells nobody the passphrase.
            Compare the fingerprint that is printed with the one that ceremonies show.

            EXAMPLES
              shirushi hsm officer --name "Hanako Yamada" \\
                  --out /media/hanako/hanako.officer
            """
    )

    @Option(help: "The officer's name, as protocols print it.") var name: String
    @Option(help: "The file to make.") var out: String
    @Option(name: .customLong("passphrase-file"), help: "A file with the passphrase, instead of asking the terminal.")
    var passphraseFile: String?

    func run() throws {
        guard !Files.exists(out) else { throw CommandError("\(out) exists already; nothing was changed") }
        do {
            let officer = try Officer.create(name: name)
            let words = try PassphraseSource.read(file: passphraseFile, prompt: "New passphrase of \(name): ")
            if passphraseFile == nil {
                let again = try PassphraseSource.read(file: nil, prompt: "The same again: ")
                guard again.copiedBytes == words.copiedBytes else { throw CommandError("the two are not the same") }
            }
            try SecretFile.write(try officer.file(under: words, .parameters(random: .live)), to: out)
            print("Made \(out) for \(officer.identity.name).\nFingerprint: \(officer.identity.fingerprint)")
        } catch let error as CeremonyError {
            throw CommandError("\(error)")
        } catch let error as HostError {
            throw CommandError("\(error)")
        }
    }
}

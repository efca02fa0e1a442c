import Core
import HPKI
import Host

/// The folders and files of one instance.
struct Home: Sendable, Hashable {
    let path: String

    /// Takes the folder, made absolute.
    init(_ path: String) {
        self.path = Paths.absolute(path)
    }

    var configuration: String { path + "/shirushi.yaml" }
    var trust: String { path + "/trust" }
    var crls: String { path + "/trust/crls" }
    /// Anchors, intermediates and lists of time-stamping authorities.
    var timestamps: String { path + "/trust/timestamps" }
    /// Anchors, intermediates and lists of those who issue HPKI cards for logging in.
    var hpkiTrust: String { path + "/trust/authentication/hpki" }
    /// The same of those who issue My Number cards.
    var jpkiTrust: String { path + "/trust/authentication/jpki" }
    /// Every folder with anchors of its own.
    var trustFolders: [String] { [trust, timestamps, hpkiTrust, jpkiTrust] }
    /// Revocation lists as they were fetched; front alone writes here.
    var seenLists: String { path + "/evidence/lists" }
    var policies: String { path + "/policies" }
    var secrets: String { path + "/secrets" }
    var data: String { path + "/data" }
    var run: String { path + "/run" }
    var hsm: String { path + "/hsm" }
    var development: String { path + "/development" }
    var core: CoreSettings.Paths { CoreSettings.Paths(home: path) }

    /// Held by `serve` as long as it runs; core has a lock of its own.
    var serveLock: String { run + "/serve.lock" }

    /// Held by a ceremony, which may go on while the instance serves.
    var ceremonyLock: String { run + "/ceremony.lock" }

    /// The state of the development authorities, with their private keys.
    var developmentPKI: String { development + "/pki.json" }
    /// The state of the development time-stamping authority, with its private keys.
    var developmentTimestamps: String { development + "/timestamps.json" }
    /// Client certificates and keys of the three authorities, `NAME.pem` and `NAME.key`.
    var developmentAuthorities: String { development + "/authorities" }
    /// Cards of the holders: a folder each, with `hpki.pem`, `hpki.key`, `jpki.pem` and `jpki.key`.
    var developmentCards: String { development + "/cards" }
    var developmentIssuerKey: String { development + "/issuer/key.pem" }
    var developmentIssuerKeys: String { development + "/issuer/jwks.json" }
    var developmentTLSRoot: String { development + "/tls/ca.pem" }
    var developmentTLSChain: String { development + "/tls/server.pem" }
    var developmentTLSKey: String { development + "/tls/server.key" }

    /// A path of the configuration: absolute, or relative to the instance.
    func resolve(_ path: String) -> String {
        path.hasPrefix("/") ? path : self.path + "/" + path
    }

    /// Throws a sentence for people where no instance is.
    func mustExist() throws(CommandError) {
        guard Files.exists(configuration) else {
            throw CommandError("there is no instance at \(path); make one with: shirushi init --home \(path)")
        }
    }
}

/// Paths as people type them.
enum Paths {
    /// The path from the root, without `.`, `..` and doubled slashes: what reads key sets takes no path with dots.
    static func absolute(_ path: String) -> String {
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : WorkingFolder.path + "/" + path).split(separator: "/") {
            switch part {
            case ".": continue
            case "..": _ = parts.popLast()
            default: parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }
}

/// A command's end in words for people; the exit code is 1 unless said otherwise.
struct CommandError: Error, CustomStringConvertible {
    let description: String
    let code: Int32

    init(_ description: String, code: Int32 = 1) {
        self.description = description
        self.code = code
    }
}

import Certificates
import Core
import Glibc
import HPKI
import Host
import Keys
import PKCS11

extension Configuration {
    /// What core is told of authorities and keys; reads the certificates that the file names.
    func registration() throws -> RegistrationSettings {
        RegistrationSettings(
            authorities: try authorities.map { authority in
                RegistrationSettings.Authority(
                    remit: AuthorityRemit(
                        name: authority.name, issuers: try authority.issuers.flatMap(Self.certificates),
                        roles: Set(authority.roles)),
                    clientCertificates: try authority.clientCertificates.flatMap(Self.certificates).map(\.fingerprint)
                )
            },
            mode: keys.mode, offers: keys.offers,
            cache: KeyCache.Settings(size: keys.cacheSize, lifetime: .seconds(keys.cacheSeconds)),
            knownRoles: Set(keys.roles)
        )
    }

    private static func certificates(_ path: String) throws -> [HPKICertificate] {
        do { return try HPKICertificate.read(file: try Files.read(path, atMost: 1 << 20)) } catch {
            throw CommandError("\(path): \(error)")
        }
    }
}

extension Configuration.PINSource {
    /// Reads the PIN; throws where it is not there or others may read it.
    func read() throws(HostError) -> PIN {
        var bytes: [UInt8]
        switch self {
        case .file(let path): bytes = try SecretFile.read(path, atMost: 256).withoutTrailingNewline().copiedBytes
        case .environment(let name):
            guard let text = Environment[name], !text.isEmpty else {
                throw .missing(path: "the environment variable \(name)")
            }
            bytes = Array(text.utf8)
            unsafe unsetenv(name)
        case .credential(let name):
            guard let folder = Environment["CREDENTIALS_DIRECTORY"] else {
                throw .missing(path: "the environment variable CREDENTIALS_DIRECTORY")
            }
            bytes = try SecretFile.read(folder + "/" + name, atMost: 256).withoutTrailingNewline().copiedBytes
        }
        return PIN(consuming: &bytes)
    }

    /// The key that names it.
    var key: String {
        switch self {
        case .file: "pinFile"
        case .environment: "pinEnvironment"
        case .credential: "pinCredential"
        }
    }

    /// Where it comes from, without it.
    var words: String {
        switch self {
        case .file: "a file"
        case .environment(let name): "the environment's \(name)"
        case .credential(let name): "the credential \(name)"
        }
    }
}

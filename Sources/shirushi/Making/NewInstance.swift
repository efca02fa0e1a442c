import Audit
import Core
import HPKI
import Host
import Policies
import Storage

/// Makes the folders, secrets and stores that every instance has.
struct NewInstance {
    let home: Home

    /// Makes the instance; its configuration file comes last, so that a half-made one does not count as an instance.
    func make(kind: Configuration.Kind, configuration: String? = nil) throws {
        try makeFolders()
        try makeSecrets()
        try makeStores()
        try Files.write(PolicySet.shippedFile, to: home.policies + "/signing.yaml")
        try Files.write(PolicySet.shippedTests, to: home.policies + "/signing.tests.yaml")
        let text = configuration ?? ConfigurationTemplate.production
        try Files.write(Array(text.utf8), to: home.configuration)
    }

    func makeFolders() throws {
        for folder in [
            home.path, home.data, home.run, home.secrets, home.hsm, home.policies, home.seenLists,
        ] {
            try Files.makeFolder(folder)
        }
        for folder in home.trustFolders {
            for part in ["anchors", "intermediates", "crls"] { try Files.makeFolder(folder + "/" + part) }
        }
    }

    func makeSecrets() throws {
        let paths = home.core
        for path in [
            paths.logKey, paths.checkpointKey, paths.pseudonymKey, paths.claimKey, paths.adminKey, paths.custodyKey,
        ]
        where !Files.exists(path) {
            try SecretFile.write(Random.live.bytes(32), to: path)
        }
    }

    func makeStores() throws {
        if !Files.exists(home.core.database) {
            let database = try Database.create(at: home.core.database, parts: CoreSchema.parts)
            try database.close()
            // Only together with a new database: a head made for an old one would hide that its log was cut.
            let key = LogKey(try SecretFile.read(home.core.logKey, atMost: 4096).copiedBytes)
            try AuditVerifier.create(headAt: home.core.auditHead, key: key)
        }
    }
}

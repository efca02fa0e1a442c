import ArgumentParser
import Audit
import Ceremony
import Core
import HPKI
import Host
import Storage

/// `shirushi restore`: an instance made again from a backup, by two officers.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make an instance again from a backup, with two officers present.",
        discussion: """
            Everything is verified before the home appears under its name. At its first start core records the
            restore, voids sessions, and suspends every key until the authorities' state and revocation lists are
            imported again, so that nothing revoked since comes back to life.

            EXAMPLES
              shirushi restore --archive /backup/2026-11-26.shirushi \\
                  --home /srv/shirushi --officer a.officer --officer b.officer
            """
    )

    @Option(help: "The backup.") var archive: String
    @OptionGroup var home: HomeOption
    @OptionGroup var officers: OfficerOptions

    func run() async throws {
        let home = home.home
        try await inWords {
            if Files.exists(home.path), try !Files.isFolder(home.path) || !Files.names(in: home.path).isEmpty {
                throw CommandError("\(home.path) is not empty; nothing was changed. Name another folder.")
            }
            let staging = Home(home.path + ".restoring")
            guard !Files.exists(staging.path) else {
                throw CommandError("\(staging.path) is left of an earlier try; remove it first")
            }
            let reader = try ArchiveReader(archive)
            let present = try officers.present()
            try Files.makeFolder(staging.path)
            do {
                Progress.say("shirushi: opening backup \(reader.unverifiedHeader.id)")
                let header = try reader.extract(to: staging.path, by: present)
                try Self.complete(staging, header, present)
                // The software token's folder is in no backup; without its configuration nothing could be put there.
                let isDevelopment = Files.exists(staging.developmentPKI)
                if isDevelopment { try DevelopmentInstance.makeTokenFolder(in: staging, for: home) }
                try Files.move(staging.path, to: home.path)
                print(
                    """
                    Restored \(home.path) from backup \(header.id) of \(header.made).
                    Audit log: \(header.treeSize) records, tree root \(header.treeRoot)

                    \(Self.next(home, isDevelopment))
                    """
                )
            } catch {
                try? Self.remove(staging.path)
                throw error
            }
        }
    }

    private static func next(_ home: Home, _ isDevelopment: Bool) -> NextSteps {
        let lost = "shirushi hsm restore --home \(home.path) --officer … --officer …"
        return NextSteps([
            isDevelopment
                ? "the software token is in no backup; make another, with the wrapping keys:\n\(lost)"
                : "put the user's PIN into its file, and the token into its place; a lost token:\n\(lost)",
            "shirushi serve --home \(home.path) --check, then without --check",
            """
            every key is suspended. For each issuer, with a list newer than the restore:
            shirushi keys crl FILE --home \(home.path) --authority NAME
            """,
            "then for each key:\nshirushi keys resume CREDENTIAL --home \(home.path) --authority NAME",
        ])
    }

    /// Verifies the stores, makes what no backup carries, and leaves the mark that core looks for.
    private static func complete(_ home: Home, _ header: ArchiveHeader, _ present: PresentOfficers) throws {
        for folder in [home.run, home.hsm, home.seenLists, home.clients] { try Files.makeFolder(folder) }
        for folder in home.trustFolders {
            for part in ["anchors", "intermediates", "crls"] { try Files.makeFolder(folder + "/" + part) }
        }
        let log: (size: UInt64, root: [UInt8])
        do {
            log = try BackupFiles.verifyStores(home.core.database, home.core.auditHead, logKey: home.core.logKey)
        } catch let error as StorageError {
            throw CommandError("the backup's database cannot be opened by this release: \(error)")
        } catch let error as AuditError {
            throw CommandError("the backup's audit log does not hold: \(error)")
        }
        guard log.size == header.treeSize, log.root == header.treeRoot.bytes else {
            throw CeremonyError.archiveRefused("its audit log is another one than its header says")
        }
        Progress.say("shirushi: the audit log holds: \(log.size) records")
        try SecretFile.write(Random.live.bytes(32), to: home.core.adminKey)
        let ceremony = Ceremony(
            CustodyFolder(home: home.path), present: present, instance: header.instance, clock: .live, random: .live,
            say: { _ in }
        )
        _ = try ceremony.recordRestore(header)
        try RestoreMark.write(header, present: present, now: WallClock.live.now(), at: home.core.restored)
    }

    /// Removes a folder with all that is in it.
    static func remove(_ folder: String) throws {
        for name in try Files.names(in: folder) {
            let path = folder + "/" + name
            if Files.isFolder(path), !Files.isSymbolicLink(path) { try remove(path) } else { try Files.remove(path) }
        }
        try Files.removeFolder(folder)
    }
}

import ArgumentParser
import Audit
import Ceremony
import Core
import CoreProtocol
import HPKI
import Host
import Storage

/// `shirushi backup`: one sealed file with everything of an instance but the token.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write a sealed backup of an instance, while it serves or when nothing does.",
        discussion: """
            No officer is needed: the backup is sealed so that any two of them open it. The whole audit log of the
            copy is verified first; one that does not hold is no backup. The user's PIN, the admin key and the token
            are not in it.

            EXAMPLES
              shirushi backup --home /srv/shirushi --out /backup/2026-11-26.shirushi \\
                  --keep-days 35
            """
    )

    @OptionGroup var home: HomeOption
    @Option(help: "The file to make.") var out: String
    @Option(
        name: .customLong("keep-days"),
        help: "For how many days the backup is kept; a destroyed key counts as destroyed once all are gone.")
    var keepDays = 35

    func validate() throws {
        guard (1...36_500).contains(keepDays) else { throw ValidationError("--keep-days is 1 to 36500") }
    }

    func run() async throws {
        let home = home.home
        try await inWords {
            try home.mustExist()
            let configuration = try Configuration.read(home)
            let folder = CustodyFolder(home: home.path)
            guard Files.exists(folder.registerFile) else {
                let hint = Files.exists(home.developmentPKI) ? "\n" + CeremonyRegistry.developmentHint : ""
                throw CommandError(
                    "the instance has no officers yet; register them with: shirushi hsm init\(hint)")
            }
            let register = try folder.register()
            guard !Files.exists(out) else { throw CommandError("\(out) exists already; nothing was changed") }
            let lock = try InstanceLock.acquire(at: home.run + "/backup.lock")
            defer { lock.release() }
            let staging = home.data + "/backup"
            try BackupFiles.clear(staging)
            defer { try? BackupFiles.clear(staging) }
            try Files.makeFolder(staging)
            let (id, now) = (Random.live.bytes(16), WallClock.live.now())
            let keepUntil = now.adding(seconds: Int64(keepDays) * 86_400)
            _ = try await AdminCall(home: home)(.noteBackup(Hex.encode(id), expiresAt: keepUntil))
            Progress.say("shirushi: copying the database and verifying its audit log")
            let log = try BackupFiles.copyStores(of: home, to: staging)
            let files = try BackupFiles.all(of: home, except: configuration.module.pinFilePath, stores: staging)
            Progress.say("shirushi: sealing \(files.count) files")
            let header = try ArchiveWriter.write(
                ArchiveWriter.Contents(
                    instance: configuration.origin, made: now, keepUntil: keepUntil, treeSize: log.size,
                    treeRoot: log.root, files: files),
                id: id, to: out, register: register, backupKeyFile: home.backupKey, random: .live)
            print(
                """
                Made \(out), backup \(header.id).
                Audit log: \(log.size) records, tree root \(Hex.encode(log.root))
                Keep it until \(keepUntil.rfc3339 ?? ""), then delete it.
                """
            )
        }
    }
}

/// What of an instance goes into a backup.
enum BackupFiles {
    /// Removes a folder of plain files, where there is one.
    static func clear(_ folder: String) throws {
        guard Files.exists(folder) else { return }
        for name in try Files.names(in: folder) { try Files.remove(folder + "/" + name) }
    }

    /// Copies database and head such that they fit, and verifies the log in the copy.
    ///
    /// The head is copied first, so it cannot be ahead of the database; verifying moves it on to the copy's end.
    static func copyStores(of home: Home, to folder: String) throws -> (size: UInt64, root: [UInt8]) {
        let (database, head) = (folder + "/core.sqlite", folder + "/audit.head")
        try Files.write(try Files.read(home.core.auditHead, atMost: 65_536), to: head)
        do {
            let source = try Database.open(at: home.core.database, parts: CoreSchema.parts, readOnly: true)
            try source.copy(to: database)
            try source.close()
            return try verifyStores(database, head, logKey: home.core.logKey)
        } catch let error as StorageError {
            throw CommandError("the database cannot be copied: \(error)")
        } catch let error as AuditError {
            throw CommandError("the audit log does not hold, so there is nothing to back up: \(error)")
        }
    }

    /// Opens a copy as its writer would: migrates, hashes the whole log, and compares it with the head.
    static func verifyStores(
        _ path: String, _ head: String, logKey: String
    ) throws -> (size: UInt64, root: [UInt8]) {
        let database = try Database.open(at: path, parts: CoreSchema.parts)
        let key = LogKey(try SecretFile.read(logKey, atMost: 4096).copiedBytes)
        let log = try AuditVerifier.open(database, headAt: head, key: key)
        try database.close()
        return (log.size, log.root)
    }

    /// The files by their paths below the home; `stores` has the copies of database and head.
    static func all(
        of home: Home, except pinFile: String?, stores: String
    ) throws -> [(path: String, source: String)] {
        var files: [(path: String, source: String)] = [
            ("shirushi.yaml", home.configuration), ("data/core.sqlite", stores + "/core.sqlite"),
            ("data/audit.head", stores + "/audit.head"),
        ]
        for folder in ["policies", "platform", "trust", "custody", "development"] { try collect(folder, home, &files) }
        for name in try Files.names(in: home.secrets) where name.hasSuffix(".key") {
            let source = home.secrets + "/" + name
            // A PIN opens the token, and the admin key a running core: neither outlives this machine.
            guard source != home.core.adminKey, source != pinFile else { continue }
            files.append(("secrets/" + name, source))
        }
        return files.filter { $0.source != pinFile }
    }

    private static func collect(
        _ path: String, _ home: Home, _ files: inout [(path: String, source: String)]
    ) throws {
        let place = home.path + "/" + path
        guard Files.exists(place) else { return }
        guard Files.isFolder(place) else {
            files.append((path, place))
            return
        }
        for name in try Files.names(in: place) { try collect(path + "/" + name, home, &files) }
    }
}

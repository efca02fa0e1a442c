internal import Crypto
package import HPKI
import Host

/// Makes a backup: files of an instance, sealed for any two of its officers and signed by the instance.
package struct ArchiveWriter {
    /// What a backup is of.
    package struct Contents: Sendable {
        /// The name of the instance's audit log.
        package let instance: String
        package let made: Instant
        package let keepUntil: Instant
        package let treeSize: UInt64
        package let treeRoot: [UInt8]
        /// Paths relative to the home, each with the file that has its bytes.
        package let files: [(path: String, source: String)]

        /// Contents of their parts.
        package init(
            instance: String, made: Instant, keepUntil: Instant, treeSize: UInt64, treeRoot: [UInt8],
            files: [(path: String, source: String)]
        ) {
            self.instance = instance
            self.made = made
            self.keepUntil = keepUntil
            self.treeSize = treeSize
            self.treeRoot = treeRoot
            self.files = files
        }
    }

    private let sink: FileSink
    private let key: SymmetricKey
    private let prefix: [UInt8]
    private var index: UInt64 = 0
    private var pending: [UInt8] = []

    /// Writes a backup to a new file and gives its header; blocks; throws `.host` with `.exists` for a path in use.
    ///
    /// `id` is the archive's, already in the ledger. Nothing of the file's name is there until all of it is.
    package static func write(
        _ contents: Contents, id: [UInt8], to path: String, register: OfficerRegister, backupKeyFile: String,
        random: Random
    ) throws(CeremonyError) -> ArchiveHeader {
        guard !Files.exists(path) else { throw .host(.exists(path: path)) }
        let signer = try BackupKey.open(at: backupKeyFile)
        guard let made = contents.made.rfc3339 else { throw .cryptography }
        var value = random.bytes(32)
        defer { value.erase() }
        let header = ArchiveHeader(
            version: 1, id: HexBytes(id), instance: contents.instance, made: made,
            keepUntil: contents.keepUntil.seconds, treeSize: contents.treeSize,
            treeRoot: HexBytes(contents.treeRoot),
            key: try Envelope.seal(LockedBytes(value), label: "backup-\(Hex.encode(id))", for: register)
        )
        let part = path + ".part"
        do throws(CeremonyError) {
            var writer = try ArchiveWriter(part, header, SymmetricKey(data: value))
            var files: [ArchiveManifest.File] = []
            for file in contents.files { files.append(try writer.add(file.path, from: file.source)) }
            try writer.end(ArchiveManifest(archive: header.id, files: files), signedBy: signer)
            try hosted { () throws(HostError) in try Files.move(part, to: path) }
        } catch {
            try? Files.remove(part)
            throw error
        }
        return header
    }

    private init(_ path: String, _ header: ArchiveHeader, _ key: SymmetricKey) throws(CeremonyError) {
        var writer = WireWriter()
        writer.raw(ArchiveFormat.magic)
        writer.data(try CustodyJSON.bytes(header))
        prefix = writer.bytes
        self.key = key
        let sink = try hosted { () throws(HostError) in try FileSink(creating: path) }
        self.sink = sink
        let bytes = prefix
        try hosted { () throws(HostError) in try sink.write(bytes) }
    }

    private mutating func add(_ path: String, from source: String) throws(CeremonyError) -> ArchiveManifest.File {
        let file = try hosted { () throws(HostError) in try FileSource(source) }
        // The count stands behind each piece, so a file may grow while it is read.
        var head = WireWriter()
        head.uint8(ArchiveFormat.fileMark)
        head.text(path)
        try append(head.bytes)
        var sum = SHA256()
        var size: Int64 = 0
        while true {
            let piece = try hosted { () throws(HostError) in try file.read(ArchiveFormat.frameBytes) }
            var length = WireWriter(capacity: 4)
            length.integer(UInt32(piece.count))
            try append(length.bytes + piece)
            guard !piece.isEmpty else { break }
            sum.update(data: piece)
            size += Int64(piece.count)
        }
        return ArchiveManifest.File(path: path, size: size, sha256: HexBytes(Array(sum.finalize())))
    }

    private mutating func end(_ manifest: ArchiveManifest, signedBy signer: BackupKey) throws(CeremonyError) {
        let text = try CustodyJSON.bytes(manifest)
        var writer = WireWriter()
        writer.uint8(ArchiveFormat.endMark)
        writer.data(text)
        writer.data(try signer.sign(ArchiveManifest.message(prefix, text)))
        try append(writer.bytes)
        try frame(pending, ArchiveFormat.last)
        let sink = sink
        try hosted { () throws(HostError) in try sink.finish() }
    }

    private mutating func append(_ bytes: [UInt8]) throws(CeremonyError) {
        pending += bytes
        while pending.count > ArchiveFormat.frameBytes {
            try frame(Array(pending.prefix(ArchiveFormat.frameBytes)), ArchiveFormat.more)
            pending.removeFirst(ArchiveFormat.frameBytes)
        }
    }

    private mutating func frame(_ plain: [UInt8], _ kind: UInt8) throws(CeremonyError) {
        let sealed = try ArchiveFormat.seal(plain, index, kind, key, header: prefix)
        var writer = WireWriter(capacity: sealed.count + 5)
        writer.uint8(kind)
        writer.data(sealed)
        let bytes = writer.bytes
        let sink = sink
        try hosted { () throws(HostError) in try sink.write(bytes) }
        index += 1
    }
}

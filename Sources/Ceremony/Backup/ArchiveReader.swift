internal import Crypto
import HPKI
import Host

/// Opens a backup with two officers; believes nothing of it until frames, sums and signature have held.
package struct ArchiveReader {
    private let source: FileSource
    /// Magic and header, as they stand in the file.
    private let prefix: [UInt8]
    /// What anyone can read of the backup; not yet verified.
    package let unverifiedHeader: ArchiveHeader

    /// Reads the header; throws `.archiveRefused` and `.host`.
    package init(_ path: String) throws(CeremonyError) {
        let source = try hosted { () throws(HostError) in try FileSource(path) }
        let start = try hosted { () throws(HostError) in try source.read(ArchiveFormat.magic.count + 4) }
        var reader = WireReader(start)
        guard let magic = try? reader.raw(ArchiveFormat.magic.count), magic == ArchiveFormat.magic,
            let length = try? reader.integer(UInt32.self), length <= ArchiveFormat.headerLimit
        else { throw .archiveRefused("\(path) is no backup of this program") }
        let text = try hosted { () throws(HostError) in try source.read(Int(length)) }
        guard text.count == Int(length),
            let header = try? CustodyJSON.value(ArchiveHeader.self, from: text, at: path), header.version == 1
        else { throw .archiveRefused("its header cannot be read by this release") }
        guard header.key.label == "backup-\(header.id)" else { throw .archiveRefused("its key is another backup's") }
        self.source = source
        prefix = start + text
        unverifiedHeader = header
    }

    /// Writes the files below a folder that is empty, and checks everything; blocks.
    ///
    /// The folder's own custody files then say whose backup it is: the officers who are present must be registered in
    /// it, both must have signed its first protocol, and the key in that protocol must have signed the backup. Throws
    /// `.envelopeRefused` for other officers, `.archiveRefused` for any byte that changed; the folder's contents are
    /// then worth nothing.
    package func extract(to folder: String, by present: PresentOfficers) throws(CeremonyError) -> ArchiveHeader {
        var value = try unverifiedHeader.key.open(by: present).copiedBytes
        defer { value.erase() }
        var stream = PlainStream(source, SymmetricKey(data: value), prefix)
        var files: [ArchiveManifest.File] = []
        while try stream.mark() == ArchiveFormat.fileMark {
            let path = String(decoding: try stream.data(atMost: 4096), as: UTF8.self)
            guard Self.isInside(path), !files.contains(where: { $0.path == path }) else {
                throw .archiveRefused("it names a file outside of an instance")
            }
            files.append(try extract(path, to: folder + "/" + path, &stream))
        }
        let text = try stream.data(atMost: 1 << 26)
        let signature = try stream.data(atMost: 256)
        try stream.end()
        let manifest = try CustodyJSON.value(ArchiveManifest.self, from: text, at: "manifest")
        guard manifest.archive == unverifiedHeader.id, manifest.files == files else {
            throw .archiveRefused("its files are not those of its manifest")
        }
        let key = try signingKey(of: CustodyFolder(home: folder), present)
        try BackupKey.verify(signature, over: ArchiveManifest.message(prefix, text), by: key)
        return unverifiedHeader
    }

    private func extract(
        _ path: String, to target: String, _ stream: inout PlainStream
    ) throws(CeremonyError) -> ArchiveManifest.File {
        let sink = try hosted { () throws(HostError) in
            try Files.makeFolder(Self.parent(of: target))
            return try FileSink(creating: target)
        }
        var sum = SHA256()
        var size: Int64 = 0
        while true {
            let piece = try stream.data(atMost: ArchiveFormat.frameBytes)
            guard !piece.isEmpty else { break }
            sum.update(data: piece)
            size += Int64(piece.count)
            try hosted { () throws(HostError) in try sink.write(piece) }
        }
        try hosted { () throws(HostError) in try sink.finish() }
        return ArchiveManifest.File(path: path, size: size, sha256: HexBytes(Array(sum.finalize())))
    }

    /// The key that the officers who are present signed for as this instance's.
    private func signingKey(
        of folder: CustodyFolder, _ present: PresentOfficers
    ) throws(CeremonyError) -> [UInt8] {
        try present.check(against: try folder.register())
        guard let first = try folder.protocols().first, let key = first.record.backupKey else {
            throw .archiveRefused("it holds no protocol that says who signs the instance's backups")
        }
        let signers = Set(first.signatures.map(\.officer))
        for officer in present.officers where !signers.contains(officer.identity.fingerprint) {
            throw .archiveRefused("\(officer.identity.name) did not sign the instance's first protocol")
        }
        guard first.record.instance == unverifiedHeader.instance else {
            throw .archiveRefused("its protocols are those of \(first.record.instance)")
        }
        return key.bytes
    }

    /// A relative path of plain names: no `..`, no empty part.
    static func isInside(_ path: String) -> Bool {
        !path.isEmpty && !path.utf8.contains(0)
            && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
            }
    }

    private static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}

/// The frames of a backup, opened one after the other.
private struct PlainStream {
    private let source: FileSource
    private let key: SymmetricKey
    private let prefix: [UInt8]
    private var index: UInt64 = 0
    private var buffer: [UInt8] = []
    private var position = 0
    private var isLast = false

    init(_ source: FileSource, _ key: SymmetricKey, _ prefix: [UInt8]) {
        self.source = source
        self.key = key
        self.prefix = prefix
    }

    mutating func mark() throws(CeremonyError) -> UInt8 {
        let mark = try take(1)[0]
        guard mark == ArchiveFormat.fileMark || mark == ArchiveFormat.endMark else {
            throw .archiveRefused("its contents cannot be read by this release")
        }
        return mark
    }

    mutating func data(atMost limit: Int) throws(CeremonyError) -> [UInt8] {
        let length = try take(4).reduce(0) { $0 << 8 | Int($1) }
        guard length <= limit else { throw .archiveRefused("a part of it is too long") }
        return try take(length)
    }

    /// Nothing may stand behind the last frame, nor behind the end in it.
    mutating func end() throws(CeremonyError) {
        let source = source
        guard isLast, position == buffer.count else { throw .archiveRefused("something stands behind its end") }
        guard try hosted({ () throws(HostError) in try source.read(1) }).isEmpty else {
            throw .archiveRefused("something stands behind its end")
        }
    }

    private mutating func take(_ count: Int) throws(CeremonyError) -> [UInt8] {
        while buffer.count - position < count {
            buffer.removeFirst(position)
            position = 0
            buffer += try nextFrame()
        }
        defer { position += count }
        return Array(buffer[position..<position + count])
    }

    private mutating func nextFrame() throws(CeremonyError) -> [UInt8] {
        let source = source
        guard !isLast else { throw .archiveRefused("it ends too early") }
        let head = try hosted { () throws(HostError) in try source.read(5) }
        guard head.count == 5 else { throw .archiveRefused("it was cut off") }
        let length = head.dropFirst().reduce(0) { $0 << 8 | Int($1) }
        guard head[0] == ArchiveFormat.more || head[0] == ArchiveFormat.last,
            (ArchiveFormat.tagBytes...ArchiveFormat.frameBytes + ArchiveFormat.tagBytes).contains(length)
        else { throw .archiveRefused("frame \(index) was altered") }
        let sealed = try hosted { () throws(HostError) in try source.read(length) }
        guard sealed.count == length else { throw .archiveRefused("it was cut off") }
        let plain = try ArchiveFormat.open(sealed, index, head[0], key, header: prefix)
        isLast = head[0] == ArchiveFormat.last
        index += 1
        return plain
    }
}

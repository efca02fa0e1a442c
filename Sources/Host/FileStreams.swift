internal import CHost
internal import Glibc

/// A plain file read from its beginning in pieces, for what is too long to be held whole; blocks.
package final class FileSource: Sendable {
    private let path: String
    private let file: Descriptor

    /// Opens a file; throws `.missing`, `.notRegularFile` or `.system`.
    package init(_ path: String) throws(HostError) {
        self.path = path
        file = try Files.open(path, O_RDONLY | O_NONBLOCK)
        _ = try Files.plainSize(of: file, path, atMost: .max)
    }

    /// The next bytes, `count` of them except at the end; empty at the end; throws `.system`.
    package func read(_ count: Int) throws(HostError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(count, 0))
        var filled = 0
        while filled < bytes.count {
            let got = try checked("read", path) {
                unsafe bytes.withUnsafeMutableBytes { buffer in
                    unsafe Glibc.read(
                        file.number, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
                }
            }
            guard got > 0 else { break }
            filled += got
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }
}

/// A new file of its owner alone (0600), written in pieces and on the disk after `finish`; blocks.
package final class FileSink: Sendable {
    private let path: String
    private let file: Descriptor

    /// Makes the file; throws `.exists` or `.system`.
    package init(creating path: String) throws(HostError) {
        self.path = path
        file = try Files.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    }

    /// Appends bytes; throws `.system`.
    package func write(_ bytes: [UInt8]) throws(HostError) {
        let failure = unsafe bytes.withUnsafeBytes { buffer -> HostError? in
            do throws(HostError) {
                try unsafe Files.writeAll(buffer, to: file, path)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    /// Syncs the file and its folder, and closes it; throws `.system`.
    package func finish() throws(HostError) {
        try checked("fsync", path) { fsync(file.number) }
        file.close()
        try Files.sync(folder: Files.parent(of: path))
    }
}

extension Files {
    /// Whether the path leads to a folder.
    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Removes an empty folder; throws `.missing` or `.system`.
    package static func removeFolder(_ path: String) throws(HostError) {
        try checked("rmdir", path) { unsafe rmdir(path) }
    }

    /// Gives a file or folder another name, where nothing but an empty folder stands; throws `.exists` or `.system`.
    package static func move(_ path: String, to target: String) throws(HostError) {
        if exists(target), !isFolder(target) { throw .exists(path: target) }
        try checked("rename", target) { unsafe rename(path, target) }
        try sync(folder: parent(of: target))
    }
}

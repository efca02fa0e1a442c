internal import CHost
internal import Glibc

/// Small files read and written whole; all of it blocks.
package enum Files {
    /// The bytes of a plain file; throws `.missing`, `.notRegularFile`, `.tooLarge` over `limit` bytes, or `.system`.
    package static func read(_ path: String, atMost limit: Int) throws(HostError) -> [UInt8] {
        let file = try open(path, O_RDONLY | O_NONBLOCK)
        let size = try plainSize(of: file, path, atMost: limit)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(max(size, 0), limit) + 1)
        // Read to the end whatever the size said: the file may grow meanwhile.
        while true {
            let count = try checked("read", path) { unsafe Glibc.read(file.number, &chunk, chunk.count) }
            guard count > 0 else { return bytes }
            guard bytes.count + count <= limit else { throw .tooLarge(path: path, limit: limit) }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Writes a file so that after a crash it is whole, old or new: a temporary file, synced, takes the name, and the
    /// folder is synced; throws `.exists` unless `replacing`, or `.system`.
    package static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32 = 0o600, replacing: Bool = true
    ) throws(HostError) {
        let failure = unsafe bytes.withUnsafeBytes { buffer -> HostError? in
            do throws(HostError) {
                try unsafe writeAtomically(buffer, to: path, mode: mode, replacing: replacing)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    /// Makes a folder for its owner alone (0700), with its parents; throws `.exposed` for one that others may reach,
    /// `.notRegularFile` for what is no folder of this user, or `.system`.
    package static func makeFolder(_ path: String) throws(HostError) {
        do throws(HostError) {
            try makeOne(path)
        } catch .missing {
            try makeFolder(parent(of: path))
            try makeOne(path)
        } catch .exists {}
        let folder = try open(path, O_RDONLY | O_DIRECTORY)
        let status = try self.status(of: folder, path)
        guard isOwn(status) else { throw .notRegularFile(path: path) }
        guard status.st_mode & 0o077 == 0 else { throw .exposed(path: path, mode: octal(status.st_mode)) }
    }

    /// The names in a folder in order, without `.` and `..`; throws `.tooLarge` over `limit` names.
    package static func names(in folder: String, atMost limit: Int = 10_000) throws(HostError) -> [String] {
        guard let stream = unsafe opendir(folder) else { throw .failed("opendir", folder, -errno) }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            guard names.count < limit else { throw .tooLarge(path: folder, limit: limit) }
            names.append(name)
        }
        return names.sorted()
    }

    /// When each file of a folder changed last, in nanoseconds since the epoch; empty where it cannot be read.
    package static func changeTimes(in folder: String) -> [String: Int64] {
        guard let names = try? names(in: folder) else { return [:] }
        var times: [String: Int64] = [:]
        for name in names { times[name] = changeTime(of: folder + "/" + name) }
        return times
    }

    /// When a file changed last, in nanoseconds since the epoch; nil where there is none.
    package static func changeTime(of path: String) -> Int64? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    /// Whether the path names anything.
    package static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// Whether the path itself names a symbolic link.
    package static func isSymbolicLink(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// The mode, in octal digits, of what a path leads to, where its group or others may write to it; else nil.
    package static func modeIfWritableByOthers(_ path: String) -> String? {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & 0o022 != 0 else { return nil }
        return octal(status.st_mode)
    }

    /// How many bytes the file system of a path has free for this user; nil where it does not say.
    package static func freeBytes(at path: String) -> Int64? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        return Int64(clamping: UInt64(status.f_bavail)).multipliedReportingOverflow(
            by: Int64(clamping: UInt64(status.f_frsize))
        ).partialValue
    }

    /// Removes a file; throws `.missing` or `.system`.
    package static func remove(_ path: String) throws(HostError) {
        try checked("unlink", path) { unsafe unlink(path) }
    }
}

extension Files {
    /// Opens a path close-on-exec.
    static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0) throws(HostError) -> Descriptor {
        // A path from outside with a zero byte would be cut short by the C library.
        guard !path.utf8.contains(0) else { throw .failed("open", path, -EINVAL) }
        let result = unsafe chost_open(path, flags, mode)
        guard result >= 0 else { throw .failed("open", path, result) }
        return Descriptor(owning: result)
    }

    static func status(of file: Descriptor, _ path: String) throws(HostError) -> stat {
        var status = stat()
        try checked("fstat", path) { unsafe fstat(file.number, &status) }
        return status
    }

    /// The size of an open plain file; throws `.notRegularFile` or `.tooLarge`.
    static func plainSize(of file: Descriptor, _ path: String, atMost limit: Int) throws(HostError) -> Int {
        let status = try status(of: file, path)
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegularFile(path: path) }
        guard status.st_size <= limit else { throw .tooLarge(path: path, limit: limit) }
        return Int(status.st_size)
    }

    static func isOwn(_ status: stat) -> Bool { status.st_uid == geteuid() || status.st_uid == 0 }

    static func octal(_ mode: mode_t) -> String {
        let digits = String(mode & 0o7777, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func sync(folder: String) throws(HostError) {
        let folder = (name: folder, file: try open(folder, O_RDONLY | O_DIRECTORY))
        try checked("fsync", folder.name) { fsync(folder.file.number) }
    }

    static func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Descriptor, _ path: String) throws(HostError) {
        var rest = unsafe bytes[...]
        while unsafe !rest.isEmpty {
            let part = unsafe UnsafeRawBufferPointer(rebasing: rest)
            let count = try checked("write", path) { unsafe Glibc.write(file.number, part.baseAddress, part.count) }
            unsafe rest = unsafe rest.dropFirst(count)
        }
    }

    static func writeAtomically(
        _ bytes: UnsafeRawBufferPointer, to path: String, mode: UInt32, replacing: Bool
    ) throws(HostError) {
        if !replacing, exists(path) { throw .exists(path: path) }
        let temporary = "\(path).\(getpid()).\(Monotonic.now).new"
        let file = try open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        do throws(HostError) {
            try unsafe writeAll(bytes, to: file, temporary)
            // The umask may have taken rights away, never added: the mode is set as asked.
            try checked("fchmod", temporary) { fchmod(file.number, mode) }
            try checked("fsync", temporary) { fsync(file.number) }
            if replacing {
                try checked("rename", path) { unsafe rename(temporary, path) }
            } else {
                // Unlike rename, link refuses a name that came to be meanwhile.
                try checked("link", path) { unsafe link(temporary, path) }
                try checked("unlink", temporary) { unsafe unlink(temporary) }
            }
        } catch {
            unsafe _ = unlink(temporary)
            throw error
        }
        try sync(folder: parent(of: path))
    }

    private static func makeOne(_ path: String) throws(HostError) {
        try checked("mkdir", path) { unsafe mkdir(path, 0o700) }
        try sync(folder: parent(of: path))
    }
}

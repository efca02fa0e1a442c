internal import Glibc

/// Files with secrets: their owner's alone, and read into memory that is erased.
package enum SecretFile {
    /// The secret in a file; throws `.exposed` when others than its owner may reach it, and as `Files.read` does.
    package static func read(_ path: String, atMost limit: Int) throws(HostError) -> LockedBytes {
        let file = try Files.open(path, O_RDONLY | O_NONBLOCK)
        let size = try Files.plainSize(of: file, path, atMost: limit)
        let status = try Files.status(of: file, path)
        guard status.st_mode & 0o077 == 0 else { throw .exposed(path: path, mode: Files.octal(status.st_mode)) }
        guard Files.isOwn(status) else { throw .notRegularFile(path: path) }
        var failure: HostError?
        let secret = unsafe LockedBytes(count: size) { buffer in
            do throws(HostError) {
                var filled = 0
                while filled < size {
                    let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    let count = try checked("read", path) {
                        unsafe Glibc.read(file.number, part.baseAddress, part.count)
                    }
                    guard count > 0 else { throw .failed("read", path, -EIO) }
                    filled += count
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return secret
    }

    /// Writes a secret for its owner alone (0600), atomically; throws `.exists` unless `replacing`, or `.system`.
    package static func write(_ secret: LockedBytes, to path: String, replacing: Bool = false) throws(HostError) {
        try unsafe secret.withBytes { (bytes) throws(HostError) in
            try unsafe Files.writeAtomically(bytes, to: path, mode: 0o600, replacing: replacing)
        }
    }

    /// Writes a secret for its owner alone (0600), atomically; throws `.exists` unless `replacing`, or `.system`.
    package static func write(_ secret: [UInt8], to path: String, replacing: Bool = false) throws(HostError) {
        try Files.write(secret, to: path, mode: 0o600, replacing: replacing)
    }
}

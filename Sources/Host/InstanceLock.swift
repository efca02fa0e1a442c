internal import Glibc

/// The lock that makes this process the only one to work on an instance (flock); the kernel frees it when the process
/// ends in whatever way.
package final class InstanceLock: Sendable {
    private let file: Descriptor

    private init(_ file: Descriptor) {
        self.file = file
    }

    /// Takes the lock at once or throws `.locked` with the holder's process id, or `.system`; the file keeps our id.
    package static func acquire(at path: String) throws(HostError) -> InstanceLock {
        let file = try Files.open(path, O_RDWR | O_CREAT, mode: 0o600)
        do throws(HostError) {
            try checked("flock", path) { flock(file.number, LOCK_EX | LOCK_NB) }
        } catch .system(_, _, "EAGAIN") {
            let text = (try? Files.read(path, atMost: 32)).map { String(decoding: $0, as: UTF8.self) }
            throw .locked(path: path, holder: text.flatMap { Int32($0.prefix { $0.isNumber }) })
        }
        let own = Array("\(getpid())\n".utf8)
        try checked("ftruncate", path) { ftruncate(file.number, 0) }
        try checked("pwrite", path) { unsafe pwrite(file.number, own, own.count, 0) }
        return InstanceLock(file)
    }

    /// Lets others take the lock.
    package func release() { file.close() }
}

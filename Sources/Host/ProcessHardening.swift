internal import CHost
internal import Glibc

/// What a process gives up for good at its start.
package enum ProcessHardening {
    /// No core dump, and no tracing by processes without privileges; throws `.system`.
    package static func disableCoreDumps() throws(HostError) {
        let result = chost_disable_core_dumps()
        guard result >= 0 else { throw .failed("prctl", nil, result) }
    }

    /// Keeps this process's pages out of swap where the system lets it; false where it does not.
    package static func lockMemory() -> Bool { chost_lock_memory() == 1 }

    /// Whether the process may be dumped or traced.
    package static var isDumpable: Bool { chost_is_dumpable() == 1 }

    /// No program that is started from here gains privileges; throws `.system`.
    ///
    /// It binds the calling thread and all that it starts: call it before the process has other threads.
    package static func forbidNewPrivileges() throws(HostError) {
        let result = chost_forbid_new_privileges()
        guard result >= 0 else { throw .failed("prctl", nil, result) }
    }

    /// How many threads this process has now.
    package static var threadCount: Int {
        (try? Files.names(in: "/proc/self/task").count) ?? 0
    }

    static let ownExecutable = "/proc/self/exe"
}

/// Lends texts as the C library wants a program's arguments: pointers, and a null behind the last.
func withArguments<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = unsafe texts.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe body(&pointers)
}

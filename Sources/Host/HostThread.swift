internal import CHost
internal import Glibc

/// Threads of our own, for what blocks: Swift's shared threads never may.
package enum HostThread {
    /// How many processors this machine has for threads to run on; at least one.
    package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Runs `body` on a new thread of this name (at most 15 bytes reach the kernel).
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(ThreadBody(name, body))
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let box = unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
                unsafe chost_name_thread(box.name)
                box.body()
                return nil
            }, box.toOpaque())
        // Without memory for a thread the process has no way on.
        precondition(result == 0, "no thread could be made")
        _ = pthread_detach(thread)
    }
}

private final class ThreadBody: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

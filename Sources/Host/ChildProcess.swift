internal import CHost
internal import Glibc
internal import Synchronization

/// A program started by this one, with the descriptors it is to have and no others.
///
/// INVARIANT: the child is reaped only under the lock, so `terminate` never meets a stranger that got its number.
package final class ChildProcess: Sendable {
    /// How a child ended.
    package enum Exit: Sendable, Hashable {
        case code(Int32)
        case signal(Int32)
    }

    private struct State {
        var exit: Exit?
        var waiting: [CheckedContinuation<Exit, Never>] = []
    }

    /// The child's process id.
    package let pid: Int32
    private let state = Mutex(State())

    private init(pid: Int32) {
        self.pid = pid
    }

    /// Starts `executable` (else this program anew) with `arguments` behind its name.
    ///
    /// It has exactly this environment of `NAME=value`, and `descriptors`, at most 16, become 3, 4, … in it. Blocks
    /// shortly; throws `.missing` or `.system`.
    package static func spawn(
        executable: String? = nil, arguments: [String], environment: [String], descriptors: [Descriptor] = []
    ) throws(HostError) -> ChildProcess {
        let path = executable ?? ProcessHardening.ownExecutable
        let done = Handover<Result<ChildProcess, HostError>>()
        // The starting thread must outlive the child, whose PR_SET_PDEATHSIG looks at it: so it becomes the waiter.
        HostThread.start("child") {
            var pid: pid_t = 0
            let numbers = descriptors.map(\.number)
            let result = unsafe withArguments([path] + arguments) { arguments in
                unsafe withArguments(environment) { environment in
                    unsafe chost_spawn(path, arguments, environment, numbers, numbers.count, &pid)
                }
            }
            guard result >= 0 else { return done.open(.failure(.failed("posix_spawn", path, result))) }
            let child = ChildProcess(pid: pid)
            done.open(.success(child))
            child.waitForEnd()
        }
        return try done.wait().get()
    }

    /// Sends a signal; does nothing once the child has ended.
    package func terminate(_ signal: Int32 = SIGTERM) {
        state.withLock { state in
            if state.exit == nil { _ = kill(pid, signal) }
        }
    }

    /// How the child ended; waits until it does.
    package var exit: Exit {
        get async {
            await withCheckedContinuation { continuation in
                let exit = state.withLock { state -> Exit? in
                    if state.exit == nil { state.waiting.append(continuation) }
                    return state.exit
                }
                if let exit { continuation.resume(returning: exit) }
            }
        }
    }

    private func waitForEnd() {
        _ = chost_wait(pid)
        let (exit, waiting) = state.withLock { state -> (Exit, [CheckedContinuation<Exit, Never>]) in
            let result = chost_reap(pid)
            let exit: Exit = result >= 256 ? .signal(result - 256) : .code(result)
            defer { state.waiting = [] }
            state.exit = exit
            return (exit, state.waiting)
        }
        for continuation in waiting { continuation.resume(returning: exit) }
    }
}

/// Lets one thread wait for a value of another.
private final class Handover<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let ready = WakeUp()

    func open(_ value: Value) {
        self.value.withLock { $0 = value }
        ready.raise()
    }

    func wait() -> Value {
        while true {
            ready.wait()
            if let value = value.withLock({ $0 }) { return value }
        }
    }
}

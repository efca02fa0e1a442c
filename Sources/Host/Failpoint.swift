internal import Glibc

/// A named place at which a development instance kills its own process, so that tests can crash it exactly there.
package struct Failpoint: Sendable {
    private let armed: String?

    /// Arms the place called `name`, or none.
    package init(armed name: String?) {
        armed = name
    }

    /// Kills this process with SIGKILL when the place called `name` is armed.
    package func pass(_ name: String) {
        guard let armed, armed == name else { return }
        kill(getpid(), SIGKILL)
        // The signal is on its way; nothing may happen behind the place.
        while true { pause() }
    }
}

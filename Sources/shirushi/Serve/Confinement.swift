import Glibc
import HPKI
import Host
import Synchronization

/// Takes from the front process every way to the HSM, the secrets and the custody database, before it reads anything
/// from strangers.
///
/// Landlock binds the calling thread and what it starts, so this runs first in `main`, while there is one thread.
enum Confinement {
    private static let result = Mutex("not asked for")

    /// Whether the kernel holds front to its files.
    static var isEnforced: Bool { state.hasPrefix("enforced") }

    /// What was confined, for the log.
    static var state: String { result.withLock { $0 } }

    /// Confines this process when it is front; ends it when the kernel could confine it and did not.
    static func applyIfFront(_ arguments: [String]) {
        guard arguments.count >= 4, arguments[1] == "front", arguments[2] == "--home" else { return }
        let home = Home(arguments[3])
        do {
            try ProcessHardening.disableCoreDumps()
            try ProcessHardening.forbidNewPrivileges()
            let outcome = try Landlock.restrict(
                readOnly: readable(home), readWrite: writable(home), network: .unrestricted)
            result.withLock { $0 = "\(outcome)" }
        } catch {
            Progress.say("shirushi: front cannot be confined: \(error)")
            exit(70)
        }
    }

    /// The instance's public parts, the listeners' certificates and keys, and the system's libraries.
    private static func readable(_ home: Home) -> [String] {
        var paths = [home.configuration, home.trust, home.policies, home.path + "/platform", home.development + "/tls"]
        paths += ["/usr", "/lib", "/lib64", "/etc", "/proc", "/sys/fs/cgroup", "/opt"]
        return paths.filter(Files.exists)
    }

    /// Revocation lists that front fetched and verified, beside the devices.
    private static func writable(_ home: Home) -> [String] {
        (Files.exists(home.seenLists) ? [home.seenLists] : []) + ["/dev/null", "/dev/urandom"]
    }
}

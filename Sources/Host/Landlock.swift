internal import CHost
internal import Glibc

/// The kernel's own fence around a process (landlock(7)): files and TCP ports that are not named stay out of reach, also
/// for code that an attacker brings.
///
/// It binds the calling thread and all that it starts: call it before the process has other threads.
package enum Landlock {
    /// Which TCP ports stay within reach; older kernels cannot tell (version 4 can).
    package enum Network: Sendable, Hashable {
        case unrestricted
        case tcp(bind: [UInt16], connect: [UInt16])
    }

    /// What the kernel did.
    package enum Result: Sendable, Hashable {
        /// The fence stands; `network` where ports were fenced too.
        case enforced(version: Int, network: Bool)
        /// The kernel has no Landlock, or it is switched off.
        case unsupported
    }

    /// The version of the kernel's interface, or nil where there is none.
    package static var kernelVersion: Int? {
        let version = chost_landlock_version()
        return version > 0 ? Int(version) : nil
    }

    /// Leaves the calling thread these paths, each with all beneath it, and nothing else; throws `.missing` for a path
    /// that is not there and `.system` when the kernel has Landlock and yet refuses.
    package static func restrict(
        readOnly: [String], readWrite: [String], execute: [String] = [], network: Network
    ) throws(HostError) -> Result {
        guard let version = kernelVersion else { return .unsupported }
        let files = FileRights.known(to: version)
        var ports: UInt64 = 0
        if case .tcp = network, version >= 4 { ports = PortRights.bind | PortRights.connect }
        let rules = Descriptor(owning: try answered("landlock_create_ruleset", chost_landlock_create(files, ports)))
        for path in readOnly { try allow(FileRights.read, path, rules) }
        for path in execute { try allow(FileRights.read | FileRights.execute, path, rules) }
        for path in readWrite { try allow(files & ~FileRights.execute, path, rules) }
        if case .tcp(let bind, let connect) = network, ports != 0 {
            for port in bind { try allow(PortRights.bind, port, rules) }
            for port in connect { try allow(PortRights.connect, port, rules) }
        }
        try answered("landlock_restrict_self", chost_landlock_restrict(rules.number))
        return .enforced(version: version, network: ports != 0)
    }

    private static func allow(_ rights: UInt64, _ path: String, _ rules: Descriptor) throws(HostError) {
        let place = Descriptor(owning: try answered("open", unsafe chost_open_path(path), path))
        let isFolder = try Files.status(of: place, path).st_mode & S_IFMT == S_IFDIR
        // The kernel refuses rights over folders for what is a file.
        let rights = isFolder ? rights : rights & FileRights.ofPlainFiles
        try answered("landlock_add_rule", chost_landlock_allow_path(rules.number, place.number, rights), path)
    }

    private static func allow(_ rights: UInt64, _ port: UInt16, _ rules: Descriptor) throws(HostError) {
        try answered("landlock_add_rule", chost_landlock_allow_port(rules.number, port, rights))
    }

    @discardableResult
    private static func answered(_ call: String, _ result: Int32, _ path: String? = nil) throws(HostError) -> Int32 {
        guard result >= 0 else { throw .failed(call, path, result) }
        return result
    }
}

/// The bits of LANDLOCK_ACCESS_FS_*.
private enum FileRights {
    static let execute: UInt64 = 1 << 0
    static let read: UInt64 = 1 << 2 | 1 << 3
    /// Execute, write, read, truncate, and control of devices.
    static let ofPlainFiles: UInt64 = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15

    /// All rights that this version of the interface can take away.
    static func known(to version: Int) -> UInt64 {
        switch version {
        case ...1: (1 << 13) - 1
        case 2: (1 << 14) - 1
        case 3, 4: (1 << 15) - 1
        default: (1 << 16) - 1
        }
    }
}

/// The bits of LANDLOCK_ACCESS_NET_*.
private enum PortRights {
    static let bind: UInt64 = 1 << 0
    static let connect: UInt64 = 1 << 1
}

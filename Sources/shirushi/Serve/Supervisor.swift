import HPKI
import Host
import Logging
import Synchronization

/// Starts front and core, gives them a socket pair, and starts either anew when it ends.
///
/// The supervisor holds no key and reads no request. Each child has a control socket at descriptor 3; whenever either
/// starts, a new socket pair is made and one end sent to each, so that neither ever reads what was left of a
/// conversation with a process that is gone.
final class Supervisor: Sendable {
    private enum Role: String, CaseIterable {
        case core
        case front
    }

    private struct Child {
        var process: ChildProcess
        var control: Descriptor
    }

    private let home: Home
    private let configuration: Configuration
    private let logger: Logger
    // INVARIANT: a child that is listed has been started and its end not yet seen; owned by the lock.
    private let children = Mutex<[Role: Child]>([:])
    private let isStopping = Atomic<Bool>(false)

    init(home: Home, configuration: Configuration, logger: Logger) {
        self.home = home
        self.configuration = configuration
        self.logger = logger
    }

    /// Runs both until `stop` is called; returns once both have ended.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for role in Role.allCases {
                group.addTask { await self.keep(role) }
            }
        }
    }

    /// Lets front finish what is under way, then ends core.
    func stop() async {
        guard !isStopping.exchange(true, ordering: .sequentiallyConsistent) else { return }
        children.withLock { $0[.front]?.process }?.terminate()
        for _ in 0..<300 where children.withLock({ $0[.front] != nil }) {
            try? await Task.sleep(for: .milliseconds(50))
        }
        children.withLock { $0[.core]?.process }?.terminate()
    }

    private func keep(_ role: Role) async {
        var pause: Int64 = 100
        while !isStopping.load(ordering: .sequentiallyConsistent) {
            let startedAt = Monotonic.now
            do {
                let process = try start(role)
                let exit = await process.exit
                children.withLock { $0[role] = nil }
                if isStopping.load(ordering: .sequentiallyConsistent) { return }
                if role == .core, exit == .code(CoreCommand.pinRefused) {
                    logger.critical(
                        "the token refused the PIN, which is not tried again; put it right and start the service anew")
                    return
                }
                logger.error("\(role.rawValue) ended and is started anew", metadata: ["exit": "\(exit)"])
            } catch {
                logger.error("\(role.rawValue) cannot be started", metadata: ["cause": "\(error)"])
            }
            // A process that ran for a while is started at once; one that keeps failing ever more slowly.
            let ranFor = (Monotonic.now - startedAt) / 1_000_000_000
            pause = ranFor >= 10 ? 100 : min(pause * 2, 3000)
            try? await Task.sleep(for: .milliseconds(pause))
        }
    }

    private func start(_ role: Role) throws -> ChildProcess {
        let (ours, theirs) = try SocketPair.make()
        let process = try ChildProcess.spawn(
            arguments: [role.rawValue, "--home", home.path], environment: environment(of: role), descriptors: [theirs]
        )
        let other = children.withLock { children in
            children[role] = Child(process: process, control: ours)
            return children[role == .core ? .front : .core]
        }
        logger.info("\(role.rawValue) started", metadata: ["pid": "\(process.pid)"])
        if let other { try introduce(ours, other.control) }
        return process
    }

    /// Gives the two a fresh socket pair; a child that is ending at this moment gets another when it is back.
    private func introduce(_ one: Descriptor, _ other: Descriptor) throws {
        let (first, second) = try SocketPair.make()
        try? DescriptorPassing.send(first, over: one)
        try? DescriptorPassing.send(second, over: other)
    }

    /// Core alone learns of the module's settings.
    private func environment(of role: Role) -> [String] {
        var variables = Environment.all
        let ofModule = configuration.module.environment
        // Swift's own backtraces read a dying process's memory, secrets included, for half a minute.
        variables["SWIFT_BACKTRACE"] = "enable=no"
        switch role {
        case .core:
            for variable in ofModule { variables[variable.name] = variable.value }
        case .front:
            for variable in ofModule { variables[variable.name] = nil }
            variables["SOFTHSM2_CONF"] = nil
            variables["CREDENTIALS_DIRECTORY"] = nil
            if case .environment(let name) = configuration.module.pin { variables[name] = nil }
        }
        return variables.map { "\($0.key)=\($0.value)" }
    }
}

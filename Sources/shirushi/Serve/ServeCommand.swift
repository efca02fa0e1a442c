import ArgumentParser
import Dispatch
import Glibc
import HPKI
import Host
import Logging

/// `shirushi serve`: runs an instance.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve an instance over HTTPS.",
        discussion: """
            Starts two processes: front (TLS, HTTP, XML) and core (keys, policy, audit log). SIGTERM finishes what is
            under way and ends both.

            EXAMPLES
              shirushi serve --home ./var/home
              shirushi serve --home /srv/shirushi --check
            """
    )

    @OptionGroup var home: HomeOption
    @Flag(help: "Check everything, print the effective configuration without secrets, and end.")
    var check = false

    func run() async throws {
        let home = home.home
        let configuration = try Configuration.read(home, withFiles: true, withModule: check)
        if check {
            print(configuration.summary)
            return
        }
        let lock = try Self.lock(home)
        let logger = Log.make("serve", kind: configuration.kind)
        if let fault = configuration.missingModule {
            logger.error("nothing is signed until the security module is there", metadata: ["cause": "\(fault)"])
        }
        if configuration.kind == .development {
            logger.warning(
                "this is a development instance: its keys and authorities are for trying out, trusted by nobody else"
            )
            if try DevelopmentAuthorities(home: home).renewRevocationLists() {
                logger.info("development revocation lists renewed")
            }
        }
        // Front may write here alone, once the kernel fences it in.
        try Files.makeFolder(home.seenLists)
        let supervisor = Supervisor(home: home, configuration: configuration, logger: logger)
        let signals = Signals.onTermination { await supervisor.stop() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await supervisor.run() }
            if configuration.kind == .development {
                if let port = configuration.evidence.developmentPort {
                    group.addTask { await DevelopmentTimestamps.serve(home, port: port, logger) }
                }
                group.addTask {
                    while (try? await Task.sleep(for: .seconds(1800))) != nil {
                        _ = try? DevelopmentAuthorities(home: home).renewRevocationLists()
                    }
                }
            }
            try await group.next()
            group.cancelAll()
        }
        withExtendedLifetime(signals) {}
        lock.release()
        logger.info("stopped")
    }

    private static func lock(_ home: Home) throws -> InstanceLock {
        do {
            return try InstanceLock.acquire(at: home.serveLock)
        } catch HostError.locked {
            throw CommandError("\(home.path) is being served already")
        }
    }
}

/// Reacts to SIGTERM and SIGINT.
enum Signals {
    /// Calls `stop` once for the first of the two; keep what is returned for as long as it is to react.
    static func onTermination(_ stop: @escaping @Sendable () async -> Void) -> [any DispatchSourceSignal] {
        [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { Task { await stop() } }
            source.resume()
            return source
        }
    }
}

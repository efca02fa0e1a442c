import ArgumentParser
import CoreProtocol
import Host

/// `shirushi keys audit`: the token compared with the registry, and the registry with the log.
struct KeysAuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract:
            "List every private and secret object of the token, and find what should not be; exit 0 only when all is well.",
        discussion: """
            Objects that no credential or epoch knows, keys that can be read or extracted, wrapping keys that may do more
            than wrap, wrapped keys that were moved or altered, and rows that are older than the log or not what it says.
            It works while the instance serves. Core looks at the token by itself at every start and every hour.

            EXAMPLE
              shirushi keys audit --home ./var/home
            """
    )

    @OptionGroup var home: HomeOption

    func run() async throws {
        guard case .keysReport(let report) = try await AdminCall(home: home.home)(.auditKeys) else {
            throw CommandError("core gave another answer than was asked for")
        }
        for object in report.objects { print(object) }
        for fault in report.faults { print("FAULT  \(fault)") }
        print(
            "\(report.objects.count) objects, \(report.keys) wrapped keys, \(report.records) records of the log, "
                + "\(report.faults.count) faults")
        if report.erased > 0 {
            print("\(report.erased) rows were not compared, since what the log told of them was erased")
        }
        guard report.faults.isEmpty else { throw ExitCode(1) }
    }
}

/// `shirushi keys rotation`: how far the move to the current wrapping key is.
struct KeysRotation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotation",
        abstract: "Show how many keys are still under an older wrapping key.",
        discussion: """
            Keys move while the instance serves, and go on where they were after a restart. A new wrapping key is made
            by two officers with: shirushi hsm epoch

            EXAMPLE
              shirushi keys rotation --home ./var/home --wait
            """
    )

    @OptionGroup var home: HomeOption
    @Flag(help: "Wait until every key has moved, and say how far it is.") var wait = false

    func run() async throws {
        let call = AdminCall(home: home.home)
        while true {
            guard case .rotation(let facts) = try await call(.rotation) else {
                throw CommandError("core gave another answer than was asked for")
            }
            let retiring = facts.retiring.isEmpty ? "none" : facts.retiring.map(String.init).joined(separator: ", ")
            guard wait, facts.remaining > 0 else {
                print("epoch \(facts.epoch), retiring: \(retiring), keys still to move: \(facts.remaining)")
                if facts.remaining == 0, !facts.retiring.isEmpty { print("\n\(next(facts.retiring))") }
                return
            }
            guard try isServed() else {
                throw CommandError(
                    """
                    \(facts.remaining) keys still to move, and keys move only while the instance serves: \
                    shirushi serve --home \(home.home.path)
                    """)
            }
            Progress.say("shirushi: \(facts.remaining) keys still to move to epoch \(facts.epoch)")
            try await Task.sleep(for: .seconds(2))
        }
    }

    private func next(_ retiring: [Int64]) -> NextSteps {
        NextSteps(
            retiring.map { "shirushi hsm retire --home \(home.home.path) --epoch \($0) --officer … --officer …" })
    }

    /// Whether `shirushi serve` runs, also while its core is started anew.
    private func isServed() throws -> Bool {
        do {
            try InstanceLock.acquire(at: home.home.serveLock).release()
            return false
        } catch HostError.locked { return true }
    }
}

import ArgumentParser
import HPKI
import Host
import Policies
import Validation
import YAML

/// `shirushi policy`: the signing rules and their tests.
struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Test the policy sets of a folder.",
        discussion: """
            EXAMPLE
              shirushi policy test policies
            """,
        subcommands: [Test.self]
    )

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run the tests that stand beside each policy set.",
            discussion: """
                Reads NAME.yaml and NAME.tests.yaml. A rule that no test decides by is a fault. A
                validation policy has no tests; it is read and named.

                EXAMPLE
                  shirushi policy test policies
                """
        )

        @Argument(help: "The folder of the policy sets.") var folder = "policies"

        func run() async throws {
            let folder = Paths.absolute(folder)
            let sets = try Files.names(in: folder).filter { $0.hasSuffix(".yaml") && !$0.hasSuffix(".tests.yaml") }
            guard !sets.isEmpty else { throw CommandError("there is no policy set in \(folder)") }
            var failed = false
            for name in sets {
                let stem = folder + "/" + name.dropLast(".yaml".count)
                let file = try Files.read(stem + ".yaml", atMost: YAMLNode.byteLimit)
                if let policy = try? ValidationPolicy(reading: file) {
                    print("\(name): the validation policy \(policy.id), hash \(Digest(of: file).hex)")
                    continue
                }
                let set = try PolicySet(reading: file)
                guard Files.exists(stem + ".tests.yaml") else {
                    print("FAULT  \(name) has no tests beside it")
                    failed = true
                    continue
                }
                let tests = try PolicyTests(reading: try Files.read(stem + ".tests.yaml", atMost: YAMLNode.byteLimit))
                let report = tests.run(against: set)
                for fault in report.faults { print("FAULT  \(name): \(fault)") }
                print("\(name): \(report.count) tests, \(report.faults.count) faults, set hash \(set.hash.hex)")
                failed = failed || !report.faults.isEmpty
            }
            if failed { throw ExitCode(1) }
        }
    }
}

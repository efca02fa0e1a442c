import ArgumentParser
import Web

/// `shirushi failures`: the table of failures, as `docs/failures.md` holds it.
struct FailuresCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failures", abstract: "Print every failure with its status and what to do, as Markdown.",
        discussion: """
            EXAMPLE
              shirushi failures
            """
    )

    func run() {
        print(FailureTable.markdown, terminator: "")
    }
}

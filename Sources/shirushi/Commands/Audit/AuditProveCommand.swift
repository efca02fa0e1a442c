import ArgumentParser
import Audit
import HPKI
import JOSE
import Transparency

/// `shirushi audit prove`: one record's place in the log, with nothing of it disclosed.
struct AuditProveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Print the proof that a record is in the log, and nothing of its content.",
        discussion: """
            scripts/verify-audit export checks what this prints.

            EXAMPLE
              shirushi audit prove 41 --home ./var/home > proof.jsonl
            """
    )

    @Argument(help: "The record's number.") var sequence: UInt64
    @OptionGroup var home: HomeOption

    func run() async throws {
        try await LogFolder(home.home).printRecord(sequence) { $0.disclosing([]) }
    }
}

/// `shirushi audit disclose`: one record with its openings.
struct AuditDiscloseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disclose",
        abstract: "Print one record with its proof and the fields to be disclosed.",
        discussion: """
            Without --field all fields are disclosed. What is not stays a
            salted commitment, from which nothing can be guessed.

            EXAMPLES
              shirushi audit disclose 41 --home ./var/home > record.jsonl
              shirushi audit disclose 41 --field document --home ./var/home
            """
    )

    @Argument(help: "The record's number.") var sequence: UInt64
    @Option(help: "A field's name, as audit list --json has it; may be given several times.") var field: [String] = []
    @OptionGroup var home: HomeOption

    func run() async throws {
        let fields = try field.map { name in
            guard let field = DetailField.allCases.first(where: { $0.name == name }) else {
                throw CommandError(
                    "there is no field \(name); there are: \(DetailField.allCases.map(\.name).joined(separator: ", "))")
            }
            return field
        }
        try await LogFolder(home.home).printRecord(sequence) { record in
            guard !record.isErased else {
                throw CommandError(
                    "the detail of record \(sequence) was erased; its place is still proven by audit prove \(sequence)")
            }
            return fields.isEmpty ? record : record.disclosing(Set(fields))
        }
    }
}

extension LogFolder {
    /// Prints an evidence file of one record, as `show` leaves it.
    fileprivate func printRecord(
        _ sequence: UInt64, _ show: @escaping @Sendable (EvidenceRecord) throws -> EvidenceRecord
    ) async throws {
        let lines = try await withEvidence(.cosigned(with: sequence)) { evidence, _ in
            guard let record = try evidence.record(sequence) else {
                throw CommandError(
                    "the log has the records 0 to \(evidence.checkpoint.size - min(1, evidence.checkpoint.size))")
            }
            return [evidence.fileHeader(isComplete: false), try show(record).json].map(\.bytes)
        }
        for line in lines { print(String(decoding: line, as: UTF8.self)) }
    }
}

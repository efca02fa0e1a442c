import Audit
import CoreProtocol
import HPKI
import Identity
import Keys

extension Review {
    /// What a question asks for, as the log tells it, and the holder that is looked at.
    ///
    /// A look at a record or a key is also one at its holder, who can so be told who looked.
    func subject(
        of question: ReviewQuestion, as reviewer: Reviewer
    ) async throws(Failure) -> (text: String, holder: HolderID?) {
        switch question {
        case .me, .head, .policies, .myUses: return ("", nil)
        case .overview(let from, let to, let step):
            guard from < to else { throw Self.noTime }
            let start = step.floor(from)
            let seconds = to.seconds.subtractingReportingOverflow(start.seconds)
            guard !seconds.overflow, seconds.partialValue <= Int64(ReviewLimits.buckets) * step.seconds else {
                throw Failure(.malformedRequest, "An overview has at most \(ReviewLimits.buckets) hours or days.")
            }
            return (Self.lines([("from", from.text), ("to", to.text), ("step", "\(step)")]), nil)
        case .anomalies(let from, let to, _, _):
            guard from < to else { throw Self.noTime }
            return (Self.lines([("from", from.text), ("to", to.text)]), nil)
        case .search(let filter, let before, _):
            try check(filter, for: reviewer.role)
            return (Self.lines(filter.lines + [("before", before.map { "\($0)" })]), filter.holder)
        case .record(let sequence):
            let row = try await row(of: sequence)
            guard let row else { throw Failure(.notFound, "The log has no record of this number.") }
            guard row.kind != .inspection || reviewer.role.seesInspections else {
                throw Self.denied("The role \(reviewer.role.rawValue) does not see who looked.")
            }
            return ("record=\(sequence)", row.holder)
        case .key(let credential):
            let holder = try await read { try CredentialStore.record(credential, in: $0)?.holder }
            return ("credential=\(credential)", holder)
        case .holder(let holder): return ("holder=\(holder)", holder)
        }
    }

    private static let noTime = Failure(.malformedRequest, "The time must begin before it ends.")

    private func check(_ filter: AuditFilter, for role: ReviewerRole) throws(Failure) {
        if let from = filter.from, let to = filter.to, from >= to { throw Self.noTime }
        // Both go into the record of the look, line by line.
        for text in [filter.facility, filter.text].compactMap({ $0 }) {
            guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw Failure(.malformedRequest, "A filter's text holds control characters.")
            }
        }
        guard !filter.kinds.contains(.inspection) || role.seesInspections else {
            throw Self.denied("The role \(role.rawValue) does not see who looked.")
        }
    }

    private static func lines(_ parts: [(name: String, value: String?)]) -> String {
        parts.compactMap { part in part.value.map { "\(part.name)=\($0)" } }.joined(separator: "\n")
    }
}

extension Instant {
    fileprivate var text: String { rfc3339 ?? "\(milliseconds)" }
}

extension AuditFilter {
    /// The filter in the record's notation.
    fileprivate var lines: [(name: String, value: String?)] {
        [
            ("from", from?.text), ("to", to?.text), ("holder", holder?.description),
            ("credential", credential?.description), ("client", client?.description), ("facility", facility),
            ("kinds", kinds.isEmpty ? nil : kinds.map(\.name).joined(separator: " ")), ("outcome", outcome?.name),
            ("form", form?.rawValue), ("failure", failure?.rawValue), ("text", text),
        ]
    }
}

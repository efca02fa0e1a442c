import Audit
package import AuditIndex
package import CoreProtocol
package import HPKI
import Identity
import Policies
import Storage

/// Answers those who look at the log: judge the token and its role, record the look, then answer.
///
/// Nothing is shown before the look is durable. A holder's look at their own uses is no inspection: it tells nobody
/// anything of anybody else, and recording it would let any holder lengthen the log at will.
package struct Review: Sendable {
    let identification: TokenIdentification
    let policies: PolicySet
    let clients: RegisteredClients
    let database: Database
    let log: AuditLog
    let witnesses: Witnesses
    /// The index of the log; it follows while core runs.
    package let index: AuditIndex
    let clock: WallClock

    var source: LogSource { LogSource(database) }

    /// Answers one question; a refusal of a known reviewer is recorded before it is thrown.
    package func callAsFunction(_ command: ReviewCommand) async throws(Failure) -> ReviewReply {
        if case .myUses(let before, let limit) = command.question {
            let caller: Caller
            do { caller = try await identification.identify(command.token) } catch { throw error.failure }
            return .page(try await uses(of: caller, before: before, limit: Int(limit)))
        }
        let reviewer: Reviewer
        do { reviewer = try await identification.reviewer(command.token) } catch { throw error.failure }
        do throws(Failure) {
            let look = try await look(command.question, as: reviewer, command.requestID)
            if command.question.kind.isRecorded {
                do { try await log.recordInspection(look, by: reviewer) } catch { throw error.failure }
            }
            return try await answer(command.question, to: reviewer)
        } catch {
            guard error.kind == .denied else { throw error }
            do {
                try await log.recordRefusal(
                    of: reviewer, question: command.question.kind.rawValue, failure: error,
                    requestID: command.requestID)
            } catch { throw error.failure }
            throw error
        }
    }

    /// Throws `.denied` where the role does not allow the question, and `.malformedRequest` where it makes no sense.
    private func look(
        _ question: ReviewQuestion, as reviewer: Reviewer, _ requestID: String
    ) async throws(Failure) -> Inspection {
        guard reviewer.role.mayAsk(question.kind) else {
            throw Self.denied("The role \(reviewer.role.rawValue) may not ask this of the log.")
        }
        let (subject, holder) = try await subject(of: question, as: reviewer)
        return Inspection(
            question: question.kind.rawValue, subject: subject, holder: holder, requestID: requestID)
    }

    static func denied(_ detail: String) -> Failure { Failure(.denied, detail, rule: "reviewer-role") }

    private func answer(_ question: ReviewQuestion, to reviewer: Reviewer) async throws(Failure) -> ReviewReply {
        switch question {
        case .me:
            return .me(
                ReviewerFacts(
                    issuer: reviewer.issuer, subject: reviewer.subject, role: reviewer.role, until: reviewer.until))
        case .head: return .head(try await head())
        case .overview(let from, let to, let step): return .overview(try await overview(from, to, step))
        case .search(let filter, let before, let limit):
            return .page(try await search(filter, before: before, limit: Int(limit), for: reviewer.role))
        case .record(let sequence): return .record(try await record(sequence))
        case .key(let credential): return .key(try await key(credential))
        case .holder(let holder): return .holder(try await self.holder(holder))
        case .policies: return .policies(try await policyReview())
        case .anomalies(let from, let to, let before, let limit):
            return .anomalies(try await anomalies(from, to, before: before, limit: Int(limit)))
        // Answered before, by the holder's own token.
        case .myUses: throw Self.denied("Uses of one's own keys are shown to holders alone.")
        }
    }

    func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(Failure) -> Value {
        do { return try await database.read(work) } catch {
            throw Failure(
                .coreUnavailable, "The registry or the log cannot be read at present.", retryAfter: 5,
                cause: "\(error)")
        }
    }

    /// What the index or the log answers, with its error as a failure.
    func ask<Value>(
        _ work: () async throws(AuditIndexError) -> Value
    ) async throws(Failure) -> Value {
        do { return try await work() } catch { throw error.failure }
    }
}

import Audit
import CoreProtocol
import HPKI
import Host
import Storage
import Synchronization
import Transparency

/// What witnesses know of the log: what to submit to them, what they cosigned, and whether they have seen another log
/// under its name.
struct Witnesses: Sendable {
    /// How long an unchanged checkpoint's cosignature is fresh enough, in seconds.
    private static let freshSeconds: Int64 = 600
    /// How long a witness may give no cosignature before that is an alarm, in seconds.
    private static let alarmSeconds: Int64 = 3600

    private let keys: [NoteKey]
    private let database: Database
    private let log: AuditLog
    private let clock: WallClock
    /// Where the proof is laid that the log was rolled back or forked.
    private let contradiction: String
    private let standings: Standings

    /// Reads what each witness cosigned last; throws `StorageError` wrapped as the database gives it.
    init(
        _ keys: [NoteKey], database: Database, log: AuditLog, clock: WallClock, contradiction: String
    ) async throws(TransactionError) {
        self.keys = keys
        self.database = database
        self.log = log
        self.clock = clock
        self.contradiction = contradiction
        let newest = try await database.read { try CosignatureTable.newest(in: $0) }
        let now = clock.now()
        standings = Standings(
            keys.map { key in
                let found = newest.last { $0.signature.name == key.name && $0.signature.keyID == key.keyID }
                let time = found.flatMap { Self.time(of: $0.signature.value) }
                // What a witness's clock says counts for no more than ours: it could silence the alarm for ever.
                return Standing(size: found?.size, cosignedAt: time, keptAt: time.map { min($0, now) })
            }, since: now)
    }

    /// Answers one message of front's; throws a `Failure`.
    func callAsFunction(_ message: WitnessMessage) async throws(Failure) -> CoreReply {
        switch message {
        case .submission(let witness, let oldSize, let size):
            guard let submission = try await submission(try index(witness), oldSize: oldSize, size: size) else {
                return .noted
            }
            return .submission(submission)
        case .cosigned(let witness, let size, let signature):
            try await keep(signature, by: try index(witness), size: size)
        case .contradicted(let witness, let size, let checkpoint, let reason):
            try await weigh(checkpoint, of: try index(witness), size: size, reason: reason)
        case .failed(let witness, let reason):
            let index = try index(witness)
            standings.update(index) { $0.fault = reason.sentence }
        }
        return .noted
    }

    private func index(_ witness: String) throws(Failure) -> Int {
        guard let index = keys.firstIndex(where: { $0.text == witness }) else {
            throw Failure(.notFound, "No such witness is configured.")
        }
        return index
    }

    private func submission(
        _ index: Int, oldSize: UInt64?, size: UInt64?
    ) async throws(Failure) -> WitnessSubmission? {
        let (standing, now) = (standings[index], clock.now())
        return try await read { [log] connection in
            let choice = size.map { LogEvidence.Choice.size($0) } ?? .newest
            guard var evidence = try LogEvidence(origin: log.origin, keys: log.signers.keys, choice, in: connection)
            else { return nil }
            let size = evidence.checkpoint.size
            let isFresh = standing.keptAt.map { now.seconds - $0.seconds < Self.freshSeconds } ?? false
            if oldSize == nil, standing.size == size, isFresh { return nil }
            // What was cosigned of a log that is no longer this one is told by the witness.
            let old = min(oldSize ?? standing.size ?? 0, size)
            let request = try AddCheckpoint(
                oldSize: old, proof: try evidence.consistencyProof(from: old), note: evidence.ownNote)
            return WitnessSubmission(size: size, oldSize: old, body: request.body)
        }
    }

    private func keep(_ value: [UInt8], by index: Int, size: UInt64) async throws(Failure) {
        let key = keys[index]
        let text = try await read { [log] connection in
            try LogEvidence(origin: log.origin, keys: log.signers.keys, .size(size), in: connection)?.checkpoint.text
        }
        guard let text, key.holds(value, over: text) else {
            standings.update(index) { $0.fault = WitnessFailure.noSignature.sentence }
            return
        }
        let signature = SignedNote.Signature(name: key.name, keyID: key.keyID, value: value)
        do {
            try await database.write { try CosignatureTable.put(signature, size: size, in: $0) }
        } catch {
            throw Failure(.auditUnavailable, "The cosignature cannot be kept.", retryAfter: 5, cause: "\(error)")
        }
        let now = clock.now()
        standings.update(index) { $0 = Standing(size: size, cosignedAt: Self.time(of: value), keptAt: now) }
    }

    /// Stops the log for a checkpoint under its own signature that it does not begin with, which proves a rollback or a
    /// fork.
    ///
    /// A mere claim raises an alarm, and so does a checkpoint under a key that this log does not know: a copy from before
    /// a rotation has no way to tell whose it is.
    private func weigh(
        _ checkpoint: [UInt8], of index: Int, size: UInt64, reason: WitnessFailure
    ) async throws(Failure) {
        guard let note = try? SignedNote(checkpoint), let seen = try? Checkpoint(text: note.text),
            seen.origin == log.origin
        else {
            return standings.update(index) {
                $0.fault = "it says that it has cosigned \(size) records of another history"
                $0.contradicts = true
            }
        }
        let found: (fault: String, isProven: Bool)? = try await read { [log] connection in
            let current = log.signers.keys
            guard let fault = try Contradiction.fault(of: seen, keys: current, in: connection) else { return nil }
            if (try? note.signers(among: current)) != nil { return (fault, true) }
            // Retired keys are found by reading the whole log: only where the witness does contradict it.
            let known = try LogEvidence.allKeys(current, in: connection)
            return (fault, (try? note.signers(among: known)) != nil)
        }
        guard let (fault, isProven) = found else { return standings.update(index) { $0.fault = reason.sentence } }
        standings.update(index) {
            $0.fault = fault
            $0.contradicts = true
        }
        guard isProven else { return }
        // The next starts find it and refuse; where the disk does not take it, the witness says it again.
        try? Files.write(checkpoint, to: contradiction)
        log.stop(for: AuditError.broken(fault))
    }

    private func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws(Failure) -> Value {
        do { return try await database.read(work) } catch {
            throw Failure(.auditUnavailable, "The log cannot be read at present.", retryAfter: 5, cause: "\(error)")
        }
    }

    private static func time(of value: [UInt8]) -> Instant? {
        Cosignature.time(of: value).flatMap { seconds in
            // What a witness says of its clock may be anything; it is only shown.
            seconds < Int64.max / 1000 ? Instant(seconds: seconds) : nil
        }
    }
}

// MARK: What operators and reviewers see

extension Witnesses {
    /// How each witness stands.
    var facts: [LogHeadFacts.Witness] {
        zip(keys, standings.all).map { key, standing in
            LogHeadFacts.Witness(
                name: key.name, size: standing.size, cosignedAt: standing.cosignedAt, fault: standing.fault)
        }
    }

    /// Sentences for the operator.
    var alarms: [String] {
        let now = clock.now()
        return zip(keys, standings.all).compactMap { key, standing in
            let since = max(standing.keptAt ?? standings.since, standings.since)
            guard standing.contradicts || now.seconds - since.seconds > Self.alarmSeconds else { return nil }
            return "the witness \(key.name) does not cosign: \(standing.fault ?? "it was not asked")"
        }
    }

    /// The size that each witness cosigned, and the seconds since.
    var metrics: [HealthFacts.Metric] {
        let now = clock.now()
        return zip(keys, standings.all).flatMap { key, standing in
            let label = "{witness=\"\(key.name.forLabel)\"}"
            let since = standing.keptAt ?? standings.since
            return [
                HealthFacts.Metric(
                    name: "shirushi_witness_cosigned_records" + label, value: Int64(clamping: standing.size ?? 0)),
                HealthFacts.Metric(
                    name: "shirushi_witness_cosignature_age_seconds" + label,
                    value: max(0, now.seconds - since.seconds)),
                HealthFacts.Metric(
                    name: "shirushi_witness_failing" + label, value: standing.fault == nil ? 0 : 1),
            ]
        }
    }
}

extension String {
    /// The text as the value of a Prometheus label.
    fileprivate var forLabel: String {
        replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

extension WitnessFailure {
    fileprivate var sentence: String {
        switch self {
        case .unreachable: "it gave no answer of the protocol within its time"
        case .unknownLog: "it does not know this log; its operator has to add the log's key"
        case .unknownKey: "it does not trust the keys that sign this log's checkpoints"
        case .refused: "it refused the submission"
        case .noSignature: "its answer has no signature by its key that holds"
        }
    }
}

/// How one witness stands.
private struct Standing: Sendable {
    var size: UInt64?
    /// By the witness's clock; for show alone.
    var cosignedAt: Instant?
    /// By our clock.
    var keptAt: Instant?
    /// A sentence where something is wrong.
    var fault: String?
    /// Whether it has seen another history of this log, which is an alarm at once.
    var contradicts = false
}

// INVARIANT: as many standings as keys; owned by the lock.
private final class Standings: Sendable {
    let since: Instant
    private let state: Mutex<[Standing]>

    init(_ standings: [Standing], since: Instant) {
        self.since = since
        state = Mutex(standings)
    }

    var all: [Standing] { state.withLock { $0 } }

    subscript(_ index: Int) -> Standing { state.withLock { $0[index] } }

    func update(_ index: Int, _ change: @Sendable (inout Standing) -> Void) {
        state.withLock { change(&$0[index]) }
    }
}

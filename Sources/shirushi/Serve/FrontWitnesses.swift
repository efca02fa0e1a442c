import CoreProtocol
import Evidence
import HPKI
import Host
import Logging
import Outbound
import Transparency

/// Takes the log's checkpoints to its witnesses, and what they say to core.
struct FrontWitnesses: Sendable {
    private let settings: Configuration.Witnesses
    private let origin: String
    private let core: any CoreCalling
    private let client: WitnessClient
    private let logger: Logger

    /// Throws what the client does.
    init(_ configuration: Configuration, core: any CoreCalling, _ logger: Logger) throws {
        settings = configuration.witnesses
        origin = configuration.origin
        self.core = core
        self.logger = logger
        client = WitnessClient(
            outbound: try Outbound(
                rules: OutboundRules(allowPrivateAddresses: settings.arePrivate, allowHTTP: true)),
            timeoutSeconds: 10)
    }

    /// One round each `every` seconds until its task is cancelled.
    func run() async {
        while !Task.isCancelled {
            var size: UInt64?
            // All are given the same tree, so that one checkpoint comes to bear all signatures.
            for server in settings.servers {
                do throws(Failure) {
                    size = try await submit(to: server, size: size) ?? size
                } catch {
                    logger.warning(
                        "nothing could be submitted to a witness",
                        metadata: ["witness": "\(server.key.name)", "cause": "\(error.kind): \(error.detail)"])
                }
            }
            try? await Task.sleep(for: .seconds(settings.everySeconds))
        }
    }

    /// The size of the tree that was submitted; nil where there was nothing to submit.
    private func submit(to server: Configuration.Witnesses.Server, size: UInt64?) async throws(Failure) -> UInt64? {
        guard let submission = try await submission(server, size: size) else { return nil }
        var submitted = submission
        var answer = await client.add(submission.body, to: server.url, key: server.key)
        if case .conflict(let seen) = answer, seen != submission.oldSize, seen <= submission.size,
            let second = try await self.submission(server, oldSize: seen, size: submission.size)
        {
            // It has seen more than we knew, or has lost what it had; either way it says from where to go on.
            submitted = second
            answer = await client.add(second.body, to: server.url, key: server.key)
        }
        try await tell(answer, of: server, submitted)
        return submitted.size
    }

    private func submission(
        _ server: Configuration.Witnesses.Server, oldSize: UInt64? = nil, size: UInt64?
    ) async throws(Failure) -> WitnessSubmission? {
        let message = WitnessMessage.submission(witness: server.key.text, oldSize: oldSize, size: size)
        guard case .submission(let submission) = try await call(message) else { return nil }
        return submission
    }

    private func tell(
        _ answer: WitnessClient.Answer, of server: Configuration.Witnesses.Server, _ submission: WitnessSubmission
    ) async throws(Failure) {
        let witness = server.key.text
        func failed(_ reason: WitnessFailure, _ words: String) async throws(Failure) {
            logger.warning(
                "a witness did not cosign",
                metadata: ["witness": "\(server.key.name)", "url": "\(server.url)", "cause": "\(words)"])
            _ = try await call(.failed(witness: witness, reason: reason))
        }
        switch answer {
        case .cosigned(let value?):
            _ = try await call(.cosigned(witness: witness, size: submission.size, signature: value))
        case .cosigned(nil): try await failed(.noSignature, "no signature by the configured key")
        case .unreachable(let cause): try await failed(.unreachable, cause)
        case .unknownLog: try await failed(.unknownLog, "it does not know this log")
        case .unknownKey:
            // A copy from before a rotation has keys that the witness does not take any more.
            guard let checkpoint = await client.checkpoint(of: origin, at: server.url) else {
                return try await failed(.unknownKey, "it trusts none of the log's keys")
            }
            _ = try await call(
                .contradicted(witness: witness, size: 0, checkpoint: checkpoint, reason: .unknownKey))
        case .refused(let status): try await failed(.refused, "status \(status)")
        case .conflict(let size):
            try await contradicted(server, size: size)
        case .inconsistent:
            try await contradicted(server, size: submission.oldSize)
        }
    }

    /// What it has seen is asked for: under the log's own signature it proves what happened.
    private func contradicted(_ server: Configuration.Witnesses.Server, size: UInt64) async throws(Failure) {
        logger.error(
            "a witness has seen another history of this log",
            metadata: ["witness": "\(server.key.name)", "records": "\(size)"])
        let checkpoint = await client.checkpoint(of: origin, at: server.url) ?? []
        _ = try await call(
            .contradicted(witness: server.key.text, size: size, checkpoint: checkpoint, reason: .refused))
    }

    private func call(_ message: WitnessMessage) async throws(Failure) -> CoreReply {
        try await core.call(.witness(message), deadline: Monotonic.now + 5_000_000_000)
    }
}

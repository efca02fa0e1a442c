package import CoreProtocol
package import HPKI
package import Host
package import Validation

/// Front's part of a signature: read hostile bytes, digest what will be signed, ask core, assemble, verify, answer.
package struct SignDocument: Sendable {
    let core: any CoreCalling
    let validator: @Sendable () -> SignatureValidator
    let evidence: LevelEvidence
    let judges: Judges
    let stampRate: TimeStampRate
    let clock: WallClock
    let limits: SigningLimits
    let failpoint: Failpoint

    /// `validator` gives the trust of the moment, `evidence` what levels above B-B need.
    ///
    /// `judges` bound how many documents are judged at once, `stampRate` the time stamps of each client.
    package init(
        core: any CoreCalling, validator: @escaping @Sendable () -> SignatureValidator = { .trustingNobody },
        evidence: LevelEvidence = .none, judges: Judges = Judges(),
        stampRate: TimeStampRate = TimeStampRate(perMinute: 0),
        clock: WallClock = .live, limits: SigningLimits = SigningLimits(),
        failpoint: Failpoint = Failpoint(armed: nil)
    ) {
        self.core = core
        self.validator = validator
        self.evidence = evidence
        self.judges = judges
        self.stampRate = stampRate
        self.clock = clock
        self.limits = limits
        self.failpoint = failpoint
    }

    /// Signs a prescription from its CSV or its unsigned XML.
    package func prescription(
        _ source: UnsignedPrescription, _ origin: RequestOrigin
    ) async throws(Failure) -> Answer {
        let draft = try await drafting(.prescription, origin) { () throws(Failure) in
            try Draft(prescription: source, limits: limits)
        }
        return try await answer(draft, origin)
    }

    /// Signs a dispensing result around a signed prescription, which it carries byte for byte.
    ///
    /// The prescription is judged first: failed is refused here; whether an indeterminate one may be dispensed after
    /// the pharmacist's acknowledgement is core's policy to say.
    package func dispensing(
        prescription: [UInt8], csv: [UInt8], acknowledged: [String], _ origin: RequestOrigin
    ) async throws(Failure) -> Answer {
        let draft = try await judges { () async throws(Failure) in
            try await drafting(.dispensing, origin) { () throws(Failure) in
                let carried = try CarriedPrescription(prescription, limits: limits)
                let judgement = try carried.judge(
                    by: validator(), at: clock.now(), until: JudgementDeadline(origin.deadline),
                    acknowledged: acknowledged)
                return try Draft(dispensing: csv, of: carried, judgement, limits: limits)
            }
        }
        return try await answer(draft, origin)
    }

    /// Tells the holder of `token` what was recorded of a signature; throws `.notFound` to everyone else.
    package func lookup(
        token: PresentedToken, signature: SignatureID, deadline: UInt64
    ) async throws(Failure) -> SignatureFacts {
        guard
            case .signature(let facts) = try await core.call(
                .lookup(token: token, signature: signature), deadline: deadline)
        else { throw .surprised("core answered a lookup with something else") }
        return facts
    }

    /// Gives the holder of `token` the receipt of a signature, JSON in UTF-8; throws `.notFound` to everyone else.
    package func receipt(
        token: PresentedToken, signature: SignatureID, deadline: UInt64
    ) async throws(Failure) -> [UInt8] {
        guard
            case .receipt(let json) = try await core.call(
                .receipt(token: token, signature: signature), deadline: deadline)
        else { throw .surprised("core answered with something else than a receipt") }
        return json
    }

    private func answer(_ draft: Draft, _ origin: RequestOrigin) async throws(Failure) -> Answer {
        let reply = try await signed(try draft.command(origin), origin)
        let answer = try Answer.assembled(draft, reply, limits: limits)
        failpoint.pass("front.assembled")
        return answer
    }

    /// Asks core for the signature; a refusal for want of an acknowledgement tells what would have to be acknowledged.
    func signed(_ command: SignCommand, _ origin: RequestOrigin) async throws(Failure) -> SignedReply {
        let reply: CoreReply
        do {
            reply = try await core.call(.sign(command), deadline: origin.deadline)
        } catch {
            throw error.explained(by: command.prescription)
        }
        guard case .signed(let signed) = reply else { throw .surprised("core answered a signing with something else") }
        return signed
    }

    /// A draft that fails is a refusal, which core records where the token makes a known caller.
    ///
    /// What core says of the token, or of a log that cannot be written, comes before what is wrong with the document.
    func drafting<Value>(
        _ form: DocumentForm, _ origin: RequestOrigin, _ body: () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let refusal: Failure
        do {
            return try body()
        } catch {
            refusal = error
        }
        // Nothing was decided against the caller, and there is no time left to tell core in.
        guard refusal.kind != .judgementTimedOut else { throw refusal }
        let notice = RefusalNotice(requestID: origin.requestID, token: origin.token, form: form, kind: refusal.kind)
        _ = try await core.call(.refuse(notice), deadline: origin.deadline)
        throw refusal
    }
}

extension Failure {
    /// A fault of ours, told to the operator alone.
    static func surprised(_ cause: String) -> Failure {
        Failure(.unexpected, "Something went wrong inside the service.", cause: cause)
    }
}

internal import CoreProtocol
internal import Formats
package import HPKI
internal import Validation
internal import XML

extension SignDocument {
    /// Raises every signature of a document to a level, but those that another one covers; no key of a holder's is used.
    ///
    /// A signature that certainly does not hold is refused, since a time stamp would lend it dignity.
    /// Throws `.overloaded`, `.judgementTimedOut` and `.tooManyRequests` too.
    package func augment(_ order: AugmentationOrder, _ origin: RequestOrigin) async throws(Failure) -> [UInt8] {
        try await core.identify(origin.token, deadline: origin.deadline)
        guard order.name.map({ !$0.isEmpty && $0.utf8.first != UInt8(ascii: "#") }) ?? true else {
            throw Failure(.malformedRequest, "The name of detached content is not empty and begins without #.")
        }
        guard order.level > .bB else {
            throw Failure(.malformedRequest, "A signature is raised to B-T, B-LT or B-LTA.")
        }
        guard max(order.signature.count, order.content?.count ?? 0) <= limits.signedBytes else {
            throw Failure(.tooLarge, "The signature is longer than \(limits.signedBytes) bytes.")
        }
        return try await judges { () async throws(Failure) in try await raised(order, origin) }
    }

    private func raised(_ order: AugmentationOrder, _ origin: RequestOrigin) async throws(Failure) -> [UInt8] {
        let before = try judge(order.signature, order, origin)
        guard before.result != .failed, !before.signatures.isEmpty else {
            throw Failure(.signatureRejected, "There is no signature here that holds.", reasons: before.reasons)
        }
        let stamps = before.signatures.filter { $0.kind != .embeddedPrescription }.map { report in
            (report.timeStamps.contains { $0.kind == .signature } ? 0 : 1) + (order.level >= .bLTA ? 1 : 0)
        }
        try stampRate.take(stamps.reduce(0, +), of: origin.client)
        var (bytes, isRaised) = (order.signature, false)
        for (number, report) in before.signatures.enumerated().reversed() where report.kind != .embeddedPrescription {
            let candidate = try await raised(bytes, number, report, order)
            let after = try judge(candidate, order, origin)
            // What stands under another signature cannot grow without breaking that one.
            guard after.result != .failed, after.signatures.indices.contains(number) else { continue }
            guard let level = after.signatures[number].level, level >= order.level else {
                throw Failure(
                    .signatureRejected, "The signature holds a time stamp, certificates or lists that are not of it.",
                    reasons: after.reasons)
            }
            (bytes, isRaised) = (candidate, true)
        }
        guard isRaised else { throw .surprised("no signature could be raised") }
        return bytes
    }

    private func judge(
        _ bytes: [UInt8], _ order: AugmentationOrder, _ origin: RequestOrigin
    ) throws(Failure) -> ValidationReport {
        do throws(JudgementError) {
            return try validator().judge(
                bytes, detached: order.detached, at: clock.now(), until: JudgementDeadline(origin.deadline))
        } catch { throw Failure(error) }
    }

    private func raised(
        _ bytes: [UInt8], _ number: Int, _ report: SignatureReport, _ order: AugmentationOrder
    ) async throws(Failure) -> [UInt8] {
        let raise = RaiseLevel(evidence: evidence, limits: limits.ofAnswers)
        guard report.kind == .cades else {
            return try await raise.xades(bytes, signature: number, to: order.level, order.detached)
        }
        let digest = order.content.map { Digest(of: $0) }
        return try await raise.cades(bytes, signer: number, to: order.level, contentDigest: digest)
    }
}

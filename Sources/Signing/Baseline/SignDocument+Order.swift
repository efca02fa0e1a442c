internal import CoreProtocol
internal import Evidence
package import HPKI
internal import Validation

extension SignDocument {
    /// Signs each document of an order by itself: one that fails keeps none of the others back.
    ///
    /// The results are in the order of the items. Throws what would have failed them all, before anything is signed.
    package func callAsFunction(
        _ order: SignatureOrder, _ origin: RequestOrigin
    ) async throws(Failure) -> [Result<SignatureAnswer, Failure>] {
        guard (1...SignatureOrder.itemLimit).contains(order.items.count) else {
            throw Failure(.malformedRequest, "An order has 1 to \(SignatureOrder.itemLimit) documents.")
        }
        let claims = try order.claims(origin)
        try await mayStamp(order, origin)
        var results: [Int: Result<SignatureAnswer, Failure>] = [:]
        if claims != nil {
            // The first claims the client's key for the whole order.
            let first = await result(of: 0, order, claims, origin)
            if case .failure(let failure) = first, failure.kind.isOfIdempotency { throw failure }
            results[0] = first
        }
        return await withTaskGroup(of: (Int, Result<SignatureAnswer, Failure>).self) { [results] group in
            var results = results
            for number in order.items.indices where results[number] == nil {
                // So many are under way at once, so that one order leaves room for others.
                if number >= Self.ordersWidth, let (done, result) = await group.next() { results[done] = result }
                group.addTask { (number, await self.result(of: number, order, claims, origin)) }
            }
            for await (done, result) in group { results[done] = result }
            return order.items.indices.compactMap { results[$0] }
        }
    }

    /// No key is used for a signature that could not be raised to its level: time stamps must be offered here, and
    /// enough of them be left to the client.
    private func mayStamp(_ order: SignatureOrder, _ origin: RequestOrigin) async throws(Failure) {
        guard order.level > .bB else { return }
        try await core.identify(origin.token, deadline: origin.deadline)
        guard evidence.isOffered else { throw EvidenceError.noAuthority.failure }
        try stampRate.take(order.items.count * (order.level >= .bLTA ? 2 : 1), of: origin.client)
    }

    private static let ordersWidth = 8

    private func result(
        of number: Int, _ order: SignatureOrder, _ claims: [Idempotency]?, _ origin: RequestOrigin
    ) async -> Result<SignatureAnswer, Failure> {
        do throws(Failure) {
            let draft = try await drafting(order.form, origin) { () throws(Failure) in
                try BaselineDraft(order.items[number], of: order, limits: limits)
            }
            let reply = try await signed(draft.command(order, origin, claims?[number]), origin)
            return .success(
                try await SignatureAnswer.assembled(draft, reply, order.level, evidence, limits: limits))
        } catch {
            return .failure(error)
        }
    }
}

extension Failure.Kind {
    /// Whether the client's key is at fault, and so the whole order.
    fileprivate var isOfIdempotency: Bool {
        switch self {
        case .idempotencyConflict, .idempotencyInFlight, .idempotencyInDoubt, .invalidIdempotencyKey: true
        default: false
        }
    }
}

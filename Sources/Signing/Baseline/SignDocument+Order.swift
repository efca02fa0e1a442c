internal import CoreProtocol
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
        // The first claims the client's key for the whole order.
        let first = await result(of: 0, order, origin)
        if case .failure(let failure) = first, failure.kind.isOfIdempotency { throw failure }
        return await withTaskGroup(of: (Int, Result<SignatureAnswer, Failure>).self) { group in
            var results = [0: first]
            for number in order.items.indices.dropFirst() {
                // So many are under way at once, so that one order leaves room for others.
                if number > Self.ordersWidth, let (done, result) = await group.next() { results[done] = result }
                group.addTask { (number, await self.result(of: number, order, origin)) }
            }
            for await (done, result) in group { results[done] = result }
            return order.items.indices.compactMap { results[$0] }
        }
    }

    private static let ordersWidth = 8

    private func result(
        of number: Int, _ order: SignatureOrder, _ origin: RequestOrigin
    ) async -> Result<SignatureAnswer, Failure> {
        do throws(Failure) {
            let draft = try await drafting(order.form, origin) { () throws(Failure) in
                try BaselineDraft(order.items[number], of: order, limits: limits)
            }
            let command = try draft.command(order, origin, number: number)
            let reply: CoreReply
            do {
                reply = try await core.call(.sign(command), deadline: origin.deadline)
            } catch {
                throw error.explained(by: draft.judgement)
            }
            guard case .signed(let signed) = reply else {
                throw Failure.surprised("core answered a signing with something else")
            }
            return .success(
                try await SignatureAnswer.assembled(draft, signed, order.level, evidence, limits: limits))
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

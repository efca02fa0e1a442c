import HPKI
import Keys
import Logging
import Storage
internal import Synchronization

/// Pairs made before anybody orders one, since an RSA key takes a while.
final class SpareKeys: Sendable {
    private let database: Database
    private let custody: KeyCustody
    private let epochs: Epochs
    private let offers: [RegistrationSettings.Offer]
    private let random: Random
    // Taken for an order that is under way; two orders must not get one key.
    private let reserved = Mutex<Set<String>>([])

    init(
        database: Database, custody: KeyCustody, epochs: Epochs, offers: [RegistrationSettings.Offer], random: Random
    ) {
        self.database = database
        self.custody = custody
        self.epochs = epochs
        self.offers = offers
        self.random = random
    }

    /// A spare key for one order, to be released in the end; nil where there is none.
    func reserve(_ type: KeyType, epoch: Int64) async -> SpareKey? {
        let candidates = try? await database.read { connection in
            try SpareKeyStore.list(type, epoch: epoch, limit: 32, in: connection)
        }
        return candidates?.first { spare in reserved.withLock { $0.insert(spare.id).inserted } }
    }

    /// Ends a reservation, whether the key was taken or not.
    func release(_ spare: SpareKey) { reserved.withLock { _ = $0.remove(spare.id) } }

    /// Makes what is missing, one pair at a time, until its task is cancelled.
    func run(log: Logger) async {
        while !Task.isCancelled {
            let made = await makeOne(log)
            do { try await Task.sleep(for: made ? .milliseconds(20) : .seconds(5)) } catch { return }
        }
    }

    private func makeOne(_ log: Logger) async -> Bool {
        guard let epoch = try? epochs.current() else { return false }
        for offer in offers where offer.spares > 0 {
            let count = try? await database.read { try SpareKeyStore.count(offer.keyType, in: $0) }
            guard let count, count < offer.spares else { continue }
            do {
                let spare = try await custody.makeSpare(offer.keyType, epoch: epoch, random: random)
                try await database.write { try SpareKeyStore.insert(spare, in: $0) }
                return true
            } catch {
                log.warning("no spare key could be made", metadata: ["cause": "\(error)"])
                return false
            }
        }
        return false
    }
}

import HPKI
import Keys
internal import Synchronization

/// The wrapping keys as the registry knows them now.
final class Epochs: Sendable {
    private let known: Mutex<[WrappingEpoch]>

    init(_ epochs: [WrappingEpoch]) {
        known = Mutex(epochs)
    }

    var all: [WrappingEpoch] { known.withLock { $0 } }

    /// The epoch under which new keys go; throws `.noWrappingKey` where a ceremony has not made one yet.
    func current() throws(KeyError) -> Int64 {
        guard let epoch = known.withLock({ $0.last { $0.state == .current } }) else { throw .noWrappingKey }
        return epoch.epoch
    }

    func replace(with epochs: [WrappingEpoch]) { known.withLock { $0 = epochs } }
}

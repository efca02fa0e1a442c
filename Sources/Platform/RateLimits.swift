package import HPKI
internal import Synchronization

/// Token buckets by name: how often something may be asked from one address, by one client, or for one account.
///
/// Accounts are counted together with the address that names them: whoever tries an account from elsewhere locks
/// nobody out.
package final class RateLimits: Sendable {
    /// How often, and how many at once.
    package struct Rate: Sendable, Hashable {
        /// Per second; 0 sets no limit.
        package var perSecond: Double
        /// As many may come at once.
        package var burst: Double

        /// A rate with its burst.
        package init(perSecond: Double, burst: Double) {
            self.perSecond = perSecond
            self.burst = burst
        }
    }

    /// What is counted by itself.
    package enum Key: Sendable, Hashable {
        case address(String)
        case client(String)
        case account(HolderID, address: String)
    }

    private struct Bucket {
        var allowance: Double
        var updated: UInt64
    }

    private let limit: Int
    private let now: @Sendable () -> UInt64
    // INVARIANT: at most `limit` buckets; one that is full again is the same as none, and is forgotten when room is
    // needed.
    private let buckets = Mutex<[Key: Bucket]>([:])

    /// No bucket yet; `now` is monotonic, in nanoseconds.
    package init(limit: Int = 50_000, now: @escaping @Sendable () -> UInt64) {
        self.limit = limit
        self.now = now
    }

    /// Takes one of what `key` has; throws `.tooManyRequests` where there is none, telling when there will be one.
    package func take(_ key: Key, _ rate: Rate) throws(Failure) {
        guard rate.perSecond > 0 else { return }
        let moment = now()
        let wait: Double? = buckets.withLock { buckets in
            if buckets[key] == nil, buckets.count >= limit { Self.makeRoom(&buckets, rate, moment) }
            var bucket = buckets[key] ?? Bucket(allowance: rate.burst, updated: moment)
            bucket.allowance = Self.allowance(bucket, rate, moment)
            bucket.updated = moment
            guard bucket.allowance >= 1 else {
                buckets[key] = bucket
                return (1 - bucket.allowance) / rate.perSecond
            }
            bucket.allowance -= 1
            // Where there is no room a stranger's count is not kept; those that are known still are.
            if buckets[key] != nil || buckets.count < limit { buckets[key] = bucket }
            return nil
        }
        guard let wait else { return }
        throw Failure(
            .tooManyRequests, "There were too many attempts from this address; the next may be made in a while.",
            retryAfter: Int(min(wait, 3600).rounded(.up)))
    }

    /// How many buckets are kept.
    package var count: Int { buckets.withLock { $0.count } }

    private static func allowance(_ bucket: Bucket, _ rate: Rate, _ moment: UInt64) -> Double {
        min(rate.burst, bucket.allowance + Double(moment &- bucket.updated) / 1_000_000_000 * rate.perSecond)
    }

    private static func makeRoom(_ buckets: inout [Key: Bucket], _ rate: Rate, _ moment: UInt64) {
        buckets = buckets.filter { allowance($0.value, rate, moment) < rate.burst }
    }
}

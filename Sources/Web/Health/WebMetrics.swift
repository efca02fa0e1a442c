internal import Synchronization

/// Counters of requests for Prometheus; one lock, taken twice a request.
final class WebMetrics: Sendable {
    private struct Series: Hashable {
        let route: String
        let status: Int
    }

    private struct Histogram {
        var buckets = [UInt64](repeating: 0, count: WebMetrics.bounds.count)
        var count: UInt64 = 0
        var nanoseconds: UInt64 = 0
    }

    private struct State {
        var inFlight = 0
        var requests: [Series: UInt64] = [:]
        var latencies: [String: Histogram] = [:]
        /// By the kind of failure, of which there are few.
        var strangers: [String: UInt64] = [:]
    }

    /// Upper bounds of the latency buckets, in milliseconds.
    fileprivate static let bounds: [UInt64] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]

    private let state = Mutex(State())

    func began() {
        state.withLock { $0.inFlight += 1 }
    }

    func ended(route: String, status: Int, nanoseconds: UInt64) {
        state.withLock { state in
            state.inFlight -= 1
            state.requests[Series(route: route, status: status), default: 0] += 1
            let bucket = Self.bounds.firstIndex { nanoseconds <= $0 * 1_000_000 }
            let add = { (histogram: inout Histogram) in
                if let bucket { histogram.buckets[bucket] += 1 }
                histogram.count += 1
                histogram.nanoseconds &+= nanoseconds
            }
            add(&state.latencies[route, default: Histogram()])
        }
    }

    /// Counts a refusal of somebody unknown, which the audit log does not hold.
    func refusedStranger(_ reason: String) {
        state.withLock { $0.strangers[reason, default: 0] += 1 }
    }

    /// The text exposition format of Prometheus, version 0.0.4.
    var text: String {
        let state = state.withLock { $0 }
        var text = "# TYPE shirushi_http_in_flight gauge\nshirushi_http_in_flight \(state.inFlight)\n"
        text += "# TYPE shirushi_http_requests_total counter\n"
        for (series, count) in state.requests.sorted(by: {
            ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status)
        }) {
            text += "shirushi_http_requests_total{route=\"\(series.route)\",status=\"\(series.status)\"} \(count)\n"
        }
        text += "# TYPE shirushi_refused_strangers_total counter\n"
        for (reason, count) in state.strangers.sorted(by: { $0.key < $1.key }) {
            text += "shirushi_refused_strangers_total{reason=\"\(reason)\"} \(count)\n"
        }
        text += "# TYPE shirushi_http_request_seconds histogram\n"
        for (route, histogram) in state.latencies.sorted(by: { $0.key < $1.key }) {
            let name = "shirushi_http_request_seconds"
            var sum: UInt64 = 0
            for (bound, count) in zip(Self.bounds, histogram.buckets) {
                sum += count
                text += "\(name)_bucket{route=\"\(route)\",le=\"\(Double(bound) / 1000)\"} \(sum)\n"
            }
            text += "\(name)_bucket{route=\"\(route)\",le=\"+Inf\"} \(histogram.count)\n"
            text += "\(name)_sum{route=\"\(route)\"} \(Double(histogram.nanoseconds) / 1_000_000_000)\n"
            text += "\(name)_count{route=\"\(route)\"} \(histogram.count)\n"
        }
        return text
    }
}

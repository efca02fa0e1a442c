internal import Synchronization

/// What the last audit of the token found, for health's alarms.
final class KeyFaults: Sendable {
    private let faults = Mutex<[String]>([])

    func withLock<Value>(_ body: (inout sending [String]) -> sending Value) -> Value { faults.withLock(body) }
}

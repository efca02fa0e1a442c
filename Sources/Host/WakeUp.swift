internal import CHost

/// What one thread sleeps on until another raises it; a raise before the sleep counts.
final class WakeUp: Sendable {
    private let event = Descriptor(owning: chost_event_make())

    func raise() { chost_event_raise(event.number) }

    func wait() { chost_event_wait(event.number) }
}

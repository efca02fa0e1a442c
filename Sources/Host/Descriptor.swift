internal import Glibc
internal import Synchronization

/// A file descriptor with one owner, closed when the owner goes.
package final class Descriptor: Sendable {
    private let held: Mutex<Int32>

    /// Takes over an open descriptor.
    package init(owning number: Int32) {
        held = Mutex(number)
    }

    /// The descriptor's number, or -1 once it was closed or taken.
    package var number: Int32 { held.withLock { $0 } }

    /// Gives the descriptor away: who takes it closes it.
    package func take() -> Int32 {
        held.withLock { number in
            defer { number = -1 }
            return number
        }
    }

    /// Closes the descriptor; a second time does nothing.
    package func close() {
        let number = take()
        if number >= 0 { _ = Glibc.close(number) }
    }

    deinit { close() }
}

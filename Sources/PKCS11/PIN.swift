internal import Glibc

/// A PIN in one piece of memory of its own, overwritten when the last holder lets it go, and never printed.
@safe package final class PIN: Sendable {
    private nonisolated(unsafe) let bytes: UnsafeMutableBufferPointer<UInt8>

    /// Takes the PIN's bytes (UTF-8 for most modules) and overwrites the caller's array with zeros.
    package init(consuming source: inout [UInt8]) {
        unsafe bytes = .allocate(capacity: max(source.count, 1))
        unsafe bytes.initialize(repeating: 0)
        length = source.count
        for index in source.indices {
            unsafe bytes[index] = source[index]
            source[index] = 0
        }
        source.removeAll()
    }

    private let length: Int

    /// Lends the bytes for one call of the module.
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        unsafe body(UnsafeBufferPointer(start: bytes.baseAddress, count: length))
    }

    deinit {
        if let start = unsafe bytes.baseAddress { unsafe explicit_bzero(start, bytes.count) }
        unsafe bytes.deallocate()
    }
}

extension PIN: CustomStringConvertible, CustomReflectable {
    package var description: String { "PIN (hidden)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

internal import CHost
internal import Glibc

/// A secret in memory of its own: kept from swap and core dumps, erased when its last holder lets go.
///
/// INVARIANT: the bytes do not change after `init`, so threads may read them at once.
@safe package final class LockedBytes: @unchecked Sendable, CustomStringConvertible {
    private let pages: UnsafeMutableRawBufferPointer
    /// How many bytes the secret has.
    package let count: Int
    /// Whether the kernel keeps the pages from swap (mlock); without the right to, it does not.
    package let isLocked: Bool

    /// Pages for `count` bytes, which `fill` writes.
    package init(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let page = max(Int(sysconf(Int32(_SC_PAGESIZE))), 4096)
        let size = (max(count, 0) / page + 1) * page
        unsafe pages = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: page)
        self.count = max(count, 0)
        isLocked = unsafe mlock(pages.baseAddress, size) == 0
        unsafe _ = madvise(pages.baseAddress, size, MADV_DONTDUMP)
        unsafe chost_erase(pages.baseAddress, size)
        unsafe fill(UnsafeMutableRawBufferPointer(rebasing: pages[..<self.count]))
    }

    /// A copy of `bytes`; the array itself stays as it was, so prefer `SecretFile.read`.
    package convenience init(_ bytes: [UInt8]) {
        unsafe self.init(count: bytes.count) { unsafe $0.copyBytes(from: bytes) }
    }

    /// Lends the bytes for the time of a call.
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(rebasing: pages[..<count]))
    }

    /// The secret without one line end (LF or CR LF) that an editor left behind it.
    package func withoutTrailingNewline() -> LockedBytes {
        unsafe withBytes { bytes in
            var end = count
            if unsafe end > 0 && bytes[end - 1] == 0x0A { end -= 1 }
            if unsafe end > 0 && end < count && bytes[end - 1] == 0x0D { end -= 1 }
            return unsafe LockedBytes(count: end) { unsafe $0.copyMemory(from: .init(rebasing: bytes[..<end])) }
        }
    }

    /// Never the secret.
    package var description: String { "secret" }

    deinit {
        unsafe chost_erase(pages.baseAddress, pages.count)
        unsafe _ = madvise(pages.baseAddress, pages.count, MADV_DODUMP)
        if isLocked { unsafe _ = munlock(pages.baseAddress, pages.count) }
        unsafe pages.deallocate()
    }
}

extension LockedBytes: CustomReflectable {
    /// No members: neither dumps nor debug texts show the secret.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

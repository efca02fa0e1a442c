extension LockedBytes {
    /// A plain copy, for a library that takes the secret over; the copy is neither locked nor zeroed.
    package var copiedBytes: [UInt8] {
        unsafe withBytes { bytes in unsafe Array(bytes) }
    }
}

internal import CHost

extension [UInt8] {
    /// Overwrites this array's bytes in a way that the compiler may not drop; other copies of it stay as they are.
    package mutating func erase() {
        unsafe withUnsafeMutableBytes { unsafe chost_erase($0.baseAddress, $0.count) }
    }
}

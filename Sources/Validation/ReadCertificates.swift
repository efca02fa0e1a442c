import Certificates
import Synchronization

/// Certificates that were read before, so that the same signer's certificate is not read anew for every document.
///
/// Reading is a pure function of the bytes, so remembering it changes no verdict. INVARIANT: at most `limit` entries,
/// keyed by the whole DER.
enum ReadCertificates {
    private static let limit = 4096
    private static let known = Mutex<[[UInt8]: HPKICertificate]>([:])

    /// The certificate of `der`, nil when it cannot be read.
    static func certificate(_ der: [UInt8]) -> HPKICertificate? {
        if let certificate = known.withLock({ $0[der] }) { return certificate }
        guard let certificate = try? HPKICertificate(der: der) else { return nil }
        known.withLock { known in
            if known.count >= limit { known = [:] }
            known[der] = certificate
        }
        return certificate
    }
}

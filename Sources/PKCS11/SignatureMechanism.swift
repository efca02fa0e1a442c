import CPKCS11
import HPKI

/// How a key signs a digest.
package enum SignatureMechanism: Sendable, Hashable {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2): the DigestInfo is put before the digest here, the token pads and signs.
    case rsaPKCS1
    /// RSASSA-PSS (RFC 8017 §8.1): MGF1 with the digest's hash, and a salt as long as the digest.
    case rsaPSS
    /// ECDSA over the digest as it is, giving r ‖ s (PKCS#11 v2.40 §2.3.1).
    case ecdsa

    func initialize(_ functions: Functions, _ session: UInt, _ digest: Digest, _ key: UInt) -> UInt {
        switch self {
        case .rsaPKCS1: return unsafe shirushi_sign_init(functions.list, session, CKM_RSA_PKCS, key)
        case .ecdsa: return unsafe shirushi_sign_init(functions.list, session, CKM_ECDSA, key)
        case .rsaPSS:
            let (hash, mask) =
                switch digest.algorithm {
                case .sha256: (CKM_SHA256, CKG_MGF1_SHA256)
                case .sha384: (CKM_SHA384, CKG_MGF1_SHA384)
                case .sha512: (CKM_SHA512, CKG_MGF1_SHA512)
                }
            return unsafe shirushi_sign_init_pss(
                functions.list, session, hash, mask, UInt(digest.algorithm.byteCount), key)
        }
    }

    func input(for digest: Digest) -> [UInt8] {
        switch self {
        case .rsaPKCS1: digestInfo(of: digest.algorithm) + digest.bytes
        case .rsaPSS, .ecdsa: digest.bytes
        }
    }

    /// What stands before the digest in a DigestInfo (RFC 8017 §9.2, note 1).
    private func digestInfo(of algorithm: DigestAlgorithm) -> [UInt8] {
        let (arc, length): (UInt8, UInt8) =
            switch algorithm {
            case .sha256: (1, 32)
            case .sha384: (2, 48)
            case .sha512: (3, 64)
            }
        return [
            0x30, 17 + length, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc,
            0x05, 0x00, 0x04, length,
        ]
    }
}

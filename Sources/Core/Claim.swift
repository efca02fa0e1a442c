import CoreProtocol
internal import Crypto
import HPKI
import Identity

/// An `Idempotency-Key` in its scope, and the body it came with, as keyed hashes: what a repeated request is known by.
///
/// The bodies of prescriptions can be guessed, so their digests are kept only under the instance's key.
struct Claim: Sendable, Hashable {
    /// 32 bytes.
    let key: [UInt8]
    /// 32 bytes.
    let body: [UInt8]

    /// The claim of one caller and route.
    init(_ idempotency: Idempotency, of caller: Caller, form: DocumentForm, under secret: ClaimKey) {
        let client = caller.client?.description ?? ""
        key = secret.hash(["claim", caller.holder.description, caller.issuer, client, form.rawValue, idempotency.key])
        body = secret.hash(["body", idempotency.body.hex])
    }
}

/// The instance's key for claims.
package struct ClaimKey: Sendable {
    private let key: SymmetricKey

    /// Takes 32 secret bytes.
    package init(_ bytes: [UInt8]) {
        key = SymmetricKey(data: bytes)
    }

    fileprivate func hash(_ parts: [String]) -> [UInt8] {
        var writer = WireWriter()
        for part in parts { writer.text(part) }
        return Array(HMAC<SHA256>.authenticationCode(for: writer.bytes, using: key))
    }
}

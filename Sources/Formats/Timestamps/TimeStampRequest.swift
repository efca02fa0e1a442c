package import Certificates
package import HPKI

/// A request to a time-stamping authority, which learns a digest and nothing else of the data (RFC 3161 §2.4.1).
///
/// It always asks for the authority's certificate, without which the answer could not be judged.
package struct TimeStampRequest: Sendable, Hashable {
    package let imprint: Digest
    /// The big-endian magnitude of the nonce, by which the answer is known to be fresh.
    package let nonce: [UInt8]
    /// The policy asked for, dotted; nil for the authority's own choice.
    package let policy: String?

    /// A request for the data with this digest, with a nonce of 128 bits.
    package init(for imprint: Digest, policy: String? = nil, random: Random) {
        self.imprint = imprint
        self.policy = policy
        nonce = random.bytes(16)
    }

    /// TimeStampReq in DER.
    package var der: [UInt8] {
        DER.sequence(
            of: [DER.integer(1), imprint.messageImprint] + (policy.map { [DER.objectIdentifier($0)] } ?? [])
                + [DER.integer(nonce), DER.boolean(true)])
    }

    /// What the answer must be judged for.
    package var expectation: TimeStampExpectation {
        TimeStampExpectation(imprint: imprint, nonce: nonce, policy: policy)
    }
}

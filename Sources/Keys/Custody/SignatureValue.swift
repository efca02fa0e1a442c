package import Audit
import HPKI

/// A value that one use of a key gave, checked against the certificate: the fifth ticket of the chain.
///
/// Only `KeyCustody.sign` makes one; its bytes come out once the outcome is durable.
package struct SignatureValue: ~Copyable, Sendable {
    private let bytes: [UInt8]
    private let open: OpenUse

    init(checked bytes: [UInt8], of open: consuming OpenUse) {
        self.bytes = bytes
        self.open = open
    }

    /// Records the outcome and gives the value with its receipt; throws `.stopped`, and then the value is lost.
    package consuming func recorded(
        in log: AuditLog, step: @escaping @Sendable ([UInt8]) -> AuditLog.Step
    ) async throws(AuditError) -> RecordedSignature {
        let bytes = self.bytes
        let receipt = try await log.conclude(open, .signed(Digest(of: bytes)), step: step(bytes))
        return RecordedSignature(value: bytes, receipt: receipt)
    }
}

/// A signature value whose outcome is durable.
package struct RecordedSignature: Sendable, Hashable {
    /// RSA octets, or r‖s for ECDSA.
    package let value: [UInt8]
    package let receipt: Receipt
}

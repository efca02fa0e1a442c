import CoreProtocol
package import HPKI

/// What a prescriber's system sends to be signed, decoded from its Base64.
package enum UnsignedPrescription: Sendable, Hashable {
    /// The records: UTF-8, LF line ends, first line `SJ1`.
    case csv([UInt8])
    /// The XML with a `Prescription` that has no signature yet.
    case document([UInt8])
}

/// Where a request came from and what rules it, apart from its document.
package struct RequestOrigin: Sendable, Hashable {
    package let requestID: String
    /// The token as it came; judged by core alone.
    package let token: PresentedToken
    /// The client system that the token names, for sharing out; true only once core has found the token good.
    package let client: String
    /// The credential asked for; nil for the only fitting one.
    package let credential: CredentialID?
    package let idempotencyKey: String?
    /// Whether each answer is to carry its receipt.
    package let wantsReceipt: Bool
    /// On the monotonic clock, in nanoseconds.
    package let deadline: UInt64

    /// An origin with all its fields.
    package init(
        requestID: String, token: PresentedToken, client: String = "", credential: CredentialID? = nil,
        idempotencyKey: String? = nil, wantsReceipt: Bool = false, deadline: UInt64
    ) {
        self.requestID = requestID
        self.token = token
        self.client = client
        self.credential = credential
        self.idempotencyKey = idempotencyKey
        self.wantsReceipt = wantsReceipt
        self.deadline = deadline
    }
}

/// How large the parts of a request may be.
package struct SigningLimits: Sendable, Hashable {
    /// One CSV, in bytes.
    package var csvBytes = 1 << 20
    /// One XML document as it came, in bytes; what is made of it may be twice as long.
    package var documentBytes = 8 << 20
    /// One signed document as it comes, in bytes: what is made of a document may be twice as long.
    package var signedBytes: Int { 2 * documentBytes }

    /// The limits that hold where nothing is configured.
    package init() {}
}

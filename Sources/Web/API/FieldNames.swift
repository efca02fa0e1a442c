internal import HTTPTypes

extension HTTPField.Name {
    /// All texts are field names as RFC 9110 §5.1 has them, so the alternatives are never taken.
    static let requestID = HTTPField.Name("X-Request-Id") ?? .date
    static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .date
    static let dpop = HTTPField.Name("DPoP") ?? .date
    static let dpopNonce = HTTPField.Name("DPoP-Nonce") ?? .date
    static let referrerPolicy = HTTPField.Name("Referrer-Policy") ?? .date
    static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy") ?? .date
    static let permissionsPolicy = HTTPField.Name("Permissions-Policy") ?? .date
    static let xFrameOptions = HTTPField.Name("X-Frame-Options") ?? .date
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .date
}

internal import HTTPTypes

extension HTTPField.Name {
    /// Both texts are field names as RFC 9110 §5.1 has them, so the alternatives are never taken.
    static let requestID = HTTPField.Name("X-Request-Id") ?? .date
    static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .date
}

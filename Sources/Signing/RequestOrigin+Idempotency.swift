internal import CoreProtocol
internal import HPKI

extension RequestOrigin {
    /// The client's key with the digest of what it came with; nil where it gave none.
    ///
    /// The digest is SHA-256 over the decoded fields, each as: length of the name, name, length of the value, value.
    /// Lengths are 64 bits, big-endian; the field `form` comes first, then `fields` in their order, then credentialID where
    /// it was given; names and texts in UTF-8.
    func idempotency(
        form: DocumentForm, fields: [(name: String, value: [UInt8])]
    ) throws(Failure) -> Idempotency? {
        guard let idempotencyKey else { return nil }
        var all = [(name: "form", value: Array(form.rawValue.utf8))] + fields
        if let credential { all.append((name: "credentialID", value: Array(credential.description.utf8))) }
        var bytes: [UInt8] = []
        for field in all {
            for part in [Array(field.name.utf8), field.value] {
                for shift in stride(from: 56, through: 0, by: -8) {
                    bytes.append(UInt8(truncatingIfNeeded: UInt64(part.count) >> UInt64(shift)))
                }
                bytes += part
            }
        }
        guard let idempotency = Idempotency(key: idempotencyKey, body: Digest(of: bytes)) else {
            throw Failure(.invalidIdempotencyKey, "An Idempotency-Key is 1 to 255 printable ASCII characters.")
        }
        return idempotency
    }
}

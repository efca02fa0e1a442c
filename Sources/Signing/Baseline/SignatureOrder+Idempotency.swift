internal import CoreProtocol
internal import HPKI

extension SignatureOrder {
    /// The claims of all items, each on the whole order; nil where the client gave no key, and then nothing is digested.
    ///
    /// The same key with another order is a conflict, not another signature. The first item has the client's key, the
    /// others keys made of it and their number.
    func claims(_ origin: RequestOrigin) throws(Failure) -> [Idempotency]? {
        guard let key = origin.idempotencyKey else { return nil }
        let body = try origin.idempotency(form: form, fields: fields)?.body
        var claims: [Idempotency] = []
        for number in items.indices {
            let own = number == 0 ? key : "\(Digest(of: Array(key.utf8)).hex)/\(number)"
            guard let body, let claim = Idempotency(key: own, body: body) else {
                throw Failure(.invalidIdempotencyKey, "An Idempotency-Key is 1 to 255 printable ASCII characters.")
            }
            claims.append(claim)
        }
        return claims
    }

    private var fields: [(name: String, value: [UInt8])] {
        var fields = [
            (name: "packaging", value: Array("\(packaging)".utf8)), (name: "level", value: Array(level.rawValue.utf8)),
        ]
        if let algorithm { fields.append((name: "algorithm", value: Array(algorithm.rawValue.utf8))) }
        fields += acknowledged.map { (name: "acknowledge", value: Array($0.utf8)) }
        for item in items {
            switch item.source {
            case .document(let bytes): fields.append((name: "document", value: Digest(of: bytes).bytes))
            case .digest(let digest):
                fields.append((name: "digest", value: Array("\(digest.algorithm.rawValue):\(digest.hex)".utf8)))
            }
            for (name, word) in [("name", item.name), ("elementId", item.elementID), ("mimeType", item.mimeType)] {
                if let word { fields.append((name: name, value: Array(word.utf8))) }
            }
        }
        return fields
    }
}

package import HPKI

/// A field of an entry's detail; the numbers are part of the record's format and never change meaning.
package enum DetailField: UInt8, Sendable, Hashable, CaseIterable {
    /// The holder's 本人ID.
    case holder = 1
    /// The signature's id.
    case signature = 2
    /// The declared form and the digest of the data element, `form:algorithm:hex`.
    case document = 3
    /// The credential and the SHA-256 of its certificate, `id:hex`.
    case key = 4
    /// SHA-256 over the bytes that the key signs, in hexadecimal.
    case bytesToSign = 5
    /// Issuer, subject, method, `auth_time` and token digest, a line each.
    case activation = 6
    /// The deciding rule and the hash of the policy set, `rule:hex`.
    case decision = 7
    /// The client system.
    case client = 8
    /// The request's id.
    case request = 9
    /// SHA-256 over the signature value, in hexadecimal.
    case signatureValue = 10
    /// What happened, in words that name no person.
    case note = 11
    /// What was found of the prescription inside a dispensing result, and what was acknowledged.
    case prescription = 12
    /// The kind of module that holds the key.
    case custody = 13
    /// The registration authority and on what ground it was known, a line each.
    case authority = 14
    /// What the registry holds after a change: `credential:id:version:hex` or `holder:id:version:hex`, SHA-256 of the row.
    case registration = 15
    /// A credential's states before and after, `before>after`.
    case transition = 16
    /// Issuer, subject, role, `auth_time` and token digest of who looked at the log, a line each.
    case reviewer = 17
    /// What was asked of the log, `name=value`, a line each.
    case subject = 18
    /// A login's session, `sid`, method, who attested it, `auth_time` and end, a line each.
    case session = 19

    /// The word that people read.
    package var name: String {
        switch self {
        case .holder: "holder"
        case .signature: "signature"
        case .document: "document"
        case .key: "key"
        case .bytesToSign: "bytes-to-sign"
        case .activation: "activation"
        case .decision: "decision"
        case .client: "client"
        case .request: "request"
        case .signatureValue: "signature-value"
        case .note: "note"
        case .prescription: "prescription"
        case .custody: "custody"
        case .authority: "authority"
        case .registration: "registration"
        case .transition: "transition"
        case .reviewer: "reviewer"
        case .subject: "subject"
        case .session: "session"
        }
    }
}

/// The erasable half of an audit entry: each field with the salt that opens its commitment.
package struct Detail: Sendable, Hashable {
    /// One field with its opening.
    package struct Opening: Sendable, Hashable {
        package let field: DetailField
        /// 16 random bytes.
        package let salt: [UInt8]
        /// UTF-8.
        package let value: String

        /// The commitment that this opening opens.
        package var commitment: Commitment {
            var writer = WireWriter(capacity: 128)
            writer.raw(Array("shirushi/commitment/1\n".utf8))
            writer.uint8(field.rawValue)
            writer.raw(salt)
            writer.text(value)
            return Commitment(field: field, value: Digest(of: writer.bytes).bytes)
        }
    }

    /// The most fields of a detail.
    static let mostFields = 32
    /// The longest value of a field, in bytes.
    static let longestValue = 8192

    package let openings: [Opening]

    /// Salts each field freshly.
    init(_ fields: [(DetailField, String)], random: Random) {
        let salts = random.bytes(16 * fields.count)
        openings = fields.enumerated().map { index, field in
            Opening(field: field.0, salt: Array(salts[index * 16..<(index + 1) * 16]), value: field.1)
        }
    }

    /// The bytes that are stored beside the leaf.
    package var bytes: [UInt8] {
        var writer = WireWriter(capacity: 512)
        writer.list(openings) {
            $0.uint8($1.field.rawValue)
            $0.raw($1.salt)
            $0.text($1.value)
        }
        return writer.bytes
    }

    /// Reads a detail; throws `WireError` for anything that `bytes` would not have written.
    package init(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        openings = try reader.list(atMost: Self.mostFields) { (reader) throws(WireError) in
            guard let field = DetailField(rawValue: try reader.uint8()) else { throw .invalidValue }
            let salt = try reader.raw(16)
            return Opening(field: field, salt: salt, value: try reader.text(atMost: Self.longestValue))
        }
        try reader.end()
    }
}

package import HPKI

extension DigestAlgorithm {
    /// The function's object identifier, dotted (RFC 5754 §2).
    package var oid: String {
        switch self {
        case .sha256: OID.sha256
        case .sha384: OID.sha384
        case .sha512: OID.sha512
        }
    }

    /// The AlgorithmIdentifier in DER, with NULL, which RFC 3161's readers of every age take.
    package var identifier: [UInt8] { DER.sequence(DER.objectIdentifier(oid), DER.null) }
}

extension Digest {
    /// `MessageImprint ::= SEQUENCE { hashAlgorithm, hashedMessage }` in DER (RFC 3161 §2.4.1).
    package var messageImprint: [UInt8] { DER.sequence(algorithm.identifier, DER.octetString(bytes)) }
}

/// A hash function as an AlgorithmIdentifier names it, accepted here or not.
package struct HashIdentifier: Sendable, Hashable {
    package let oid: String
    /// Nil for functions that are not accepted, SHA-1 among them.
    package let algorithm: DigestAlgorithm?

    /// Reads an AlgorithmIdentifier; those of SHA-2 have NULL or nothing for parameters (RFC 5754 §2).
    package init(reading fields: inout DERReader) throws(DERError) {
        var identifier = try fields.enter()
        let name = try identifier.next(.objectIdentifier).objectIdentifier()
        oid = name
        algorithm = DigestAlgorithm.allCases.first { $0.oid == name }
        if let null = try identifier.optional(.null) {
            guard null.contents.isEmpty else { throw .invalidValue }
        }
        if algorithm != nil { try identifier.end() }
    }
}

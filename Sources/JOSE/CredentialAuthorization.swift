package import HPKI

/// Leave to sign given digests by a credential: the type that CSC API v2 defines for RFC 9396.
package struct CredentialAuthorization: Sendable, Hashable {
    /// `type`, by edition of the specification.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// CSC API 2.0 §8.4.2.
        case credential
        /// CSC API 2.2 and its data model 1.0.
        case credential2025 = "https://cloudsignatureconsortium.org/2025/credential"
    }

    /// What a digest is over (CSC data model 1.0).
    package enum HashType: String, Sendable, Hashable, CaseIterable {
        /// The signer's document.
        case sodr
        /// A representation of the document.
        case sdr
        /// What the key signs.
        case dtbsr
    }

    /// One digest that may be signed.
    package struct DocumentDigest: Sendable, Hashable {
        package let hash: Digest
        /// Nil where the request does not say.
        package let type: HashType?
    }

    package let kind: Kind
    package let credentialID: String?
    /// What kind of signature it is to be, where the service chooses the credential; one of both is there.
    package let signatureQualifier: String?
    /// At least one, none twice, all of one algorithm.
    package let documentDigests: [DocumentDigest]
    /// Never more than there are digests; nil for as many.
    package let numSignatures: Int64?
    /// The resource servers that it is for (RFC 9396 §2.2).
    package let locations: [String]

    /// How many signatures it allows.
    package var signatures: Int64 { numSignatures ?? Int64(documentDigests.count) }

    /// Whether `other` asks for nothing that this does not allow.
    func covers(_ other: CredentialAuthorization) -> Bool {
        kind == other.kind && credentialID == other.credentialID && signatureQualifier == other.signatureQualifier
            && Set(other.documentDigests).isSubset(of: documentDigests) && other.signatures <= signatures
            && (locations.isEmpty ? other.locations.isEmpty : !other.locations.isEmpty)
            && Set(other.locations).isSubset(of: locations)
    }
}

extension CredentialAuthorization {
    private static let known: Set<String> = [
        "type", "credentialID", "signatureQualifier", "numSignatures", "documentDigests", "documentInfos", "hashes",
        "hashAlgorithmOID", "locations",
    ]
    /// The names under which digests are found in requests: the table's, the data model's and the parameter's.
    private static let digestNames = ["documentDigests", "documentInfos", "hashes"]
    private static let algorithms: [(oid: String, algorithm: DigestAlgorithm)] = [
        ("2.16.840.1.101.3.4.2.1", .sha256), ("2.16.840.1.101.3.4.2.2", .sha384), ("2.16.840.1.101.3.4.2.3", .sha512),
    ]
    private static let labelLimit = 500
    private static let locationLimit = 8

    /// Reads one entry; members that the type does not have are refused (RFC 9396 §5).
    init(_ value: JSONValue) throws(AuthorizationDetailsError) {
        guard let members = value.members, let type = value["type"]?.text else {
            throw .malformed("an entry is no object with a type")
        }
        guard let kind = Kind(rawValue: type) else { throw .unknownType }
        guard members.allSatisfy({ Self.known.contains($0.name) }) else {
            throw .malformed("an entry has a member that its type does not have")
        }
        self.kind = kind
        credentialID = try Self.word("credentialID", in: value)
        signatureQualifier = try Self.word("signatureQualifier", in: value)
        guard credentialID != nil || signatureQualifier != nil else {
            throw .malformed("an entry has neither credentialID nor signatureQualifier")
        }
        let oid = value["hashAlgorithmOID"]?.text
        guard let algorithm = Self.algorithms.first(where: { $0.oid == oid })?.algorithm else {
            throw .malformed("hashAlgorithmOID is missing or not that of SHA-256, SHA-384 or SHA-512")
        }
        let digests = try Self.digests(of: value, algorithm)
        guard !digests.isEmpty, Set(digests.map(\.hash)).count == digests.count else {
            throw .malformed("documentDigests are missing, or one comes twice")
        }
        documentDigests = digests
        numSignatures = try value["numSignatures"].map { (number) throws(AuthorizationDetailsError) in
            guard let number = number.integer, (1...Int64(digests.count)).contains(number) else {
                throw .malformed("numSignatures is none of 1 to the number of digests")
            }
            return number
        }
        locations = try Self.locations(of: value)
    }

    /// As it is written: in the words of the standard's table.
    var value: JSONValue {
        var members = [JSONMember("type", .string(kind.rawValue))]
        if let credentialID { members.append(JSONMember("credentialID", .string(credentialID))) }
        if let signatureQualifier { members.append(JSONMember("signatureQualifier", .string(signatureQualifier))) }
        if let numSignatures { members.append(JSONMember("numSignatures", .integer(numSignatures))) }
        members.append(
            JSONMember(
                "documentDigests",
                .array(
                    documentDigests.map { digest in
                        var members = [JSONMember("hash", .string(Base64.encode(digest.hash.bytes)))]
                        if let type = digest.type { members.append(JSONMember("hashType", .string(type.rawValue))) }
                        return .object(members)
                    })))
        let algorithm = documentDigests.first?.hash.algorithm
        if let oid = Self.algorithms.first(where: { $0.algorithm == algorithm })?.oid {
            members.append(JSONMember("hashAlgorithmOID", .string(oid)))
        }
        if !locations.isEmpty { members.append(JSONMember("locations", .array(locations.map(JSONValue.string)))) }
        return .object(members)
    }

    private static func word(_ name: String, in value: JSONValue) throws(AuthorizationDetailsError) -> String? {
        guard let member = value[name] else { return nil }
        guard let text = member.text, (1...128).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .malformed("\(name) is not 1 to 128 printable ASCII characters") }
        return text
    }

    /// Digests under whichever name they come; `hashes` may be one text with commas, as in the query.
    private static func digests(
        of value: JSONValue, _ algorithm: DigestAlgorithm
    ) throws(AuthorizationDetailsError) -> [DocumentDigest] {
        let names = digestNames.filter { value[$0] != nil }
        guard names.count == 1, let name = names.first, let member = value[name] else {
            throw .malformed("documentDigests are missing, or come under two names")
        }
        if name == "hashes" {
            let texts = member.text?.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard let texts = texts ?? member.texts else { throw .malformed("hashes are no list of texts") }
            var digests: [DocumentDigest] = []
            for text in texts { digests.append(DocumentDigest(hash: try hash(text, algorithm), type: nil)) }
            return digests
        }
        guard let elements = member.elements else { throw .malformed("\(name) are no array") }
        var digests: [DocumentDigest] = []
        for element in elements { digests.append(try digest(element, algorithm)) }
        return digests
    }

    /// The label is for the signer's eyes, and may name a patient: it is judged and not kept.
    private static func digest(
        _ value: JSONValue, _ algorithm: DigestAlgorithm
    ) throws(AuthorizationDetailsError) -> DocumentDigest {
        guard let members = value.members, let text = value["hash"]?.text,
            members.allSatisfy({ ["hash", "label", "hashType"].contains($0.name) })
        else { throw .malformed("a document's digest has no hash, or a member that it does not have") }
        if let label = value["label"] {
            guard let label = label.text, label.utf8.count <= labelLimit else {
                throw .malformed("a label is no text of at most \(labelLimit) bytes")
            }
        }
        var type: HashType?
        if let member = value["hashType"] {
            type = member.text.flatMap { HashType(rawValue: $0) }
            guard type != nil else { throw .malformed("a hashType is none of sodr, sdr and dtbsr") }
        }
        return DocumentDigest(hash: try hash(text, algorithm), type: type)
    }

    /// Padded Base64 by the table and base64url by the query's: clients send either in either place.
    private static func hash(
        _ text: String, _ algorithm: DigestAlgorithm
    ) throws(AuthorizationDetailsError) -> Digest {
        guard let bytes = Base64.decode(text) ?? Base64URL.decode(text.prefix { $0 != "=" }),
            let digest = Digest(algorithm: algorithm, bytes: bytes)
        else { throw .malformed("a hash is not Base64 of the length of its algorithm") }
        return digest
    }

    private static func locations(of value: JSONValue) throws(AuthorizationDetailsError) -> [String] {
        guard let member = value["locations"] else { return [] }
        guard let texts = member.texts, (1...locationLimit).contains(texts.count), Set(texts).count == texts.count,
            texts.allSatisfy({ (1...2048).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }
            )
        else { throw .malformed("locations are not 1 to \(locationLimit) addresses, each once") }
        return texts
    }
}

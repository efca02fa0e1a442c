import HPKI
package import JOSE

/// One record as it leaves the log: the leaf, what is disclosed of its detail, and where it stands in the tree.
package struct EvidenceRecord: Sendable {
    package let leaf: Leaf
    /// The openings that are disclosed, in the order of the leaf's commitments.
    package let openings: [Detail.Opening]
    /// The inclusion proof in the checkpoint's tree (RFC 9162 §2.1.3); nil in a complete export, which needs none.
    package let proof: [[UInt8]]?

    /// A record of its parts.
    package init(leaf: Leaf, openings: [Detail.Opening], proof: [[UInt8]]?) {
        self.leaf = leaf
        self.openings = openings
        self.proof = proof
    }

    /// Whether nothing is left to disclose.
    package var isErased: Bool { openings.isEmpty && !leaf.commitments.isEmpty }

    /// The record with the openings of `fields` alone.
    package func disclosing(_ fields: Set<DetailField>) -> EvidenceRecord {
        EvidenceRecord(leaf: leaf, openings: openings.filter { fields.contains($0.field) }, proof: proof)
    }

    /// The record as `docs/audit-format.md` has it; what stands in the leaf is repeated for readers.
    package var json: JSONValue {
        var members = [
            JSONMember("sequence", .number("\(leaf.sequence)")),
            JSONMember("leaf", .string(Base64.encode(leaf.bytes))),
            JSONMember(
                "detail",
                .array(
                    openings.map { opening in
                        [
                            ("field", .number("\(opening.field.rawValue)")), ("name", .string(opening.field.name)),
                            ("salt", .string(Hex.encode(opening.salt))), ("value", .string(opening.value)),
                        ].object
                    })),
        ]
        if let proof { members.append(JSONMember("proof", .array(proof.map { .string(Base64.encode($0)) }))) }
        members += [
            JSONMember("time", .string(leaf.time.rfc3339Milliseconds ?? "")),
            JSONMember("kind", .string(leaf.kind.name)),
            JSONMember("code", .number("\(leaf.code)")),
        ]
        if let intent = leaf.intent { members.append(JSONMember("closes", .number("\(intent)"))) }
        members.append(JSONMember("pseudonym", .string(Hex.encode(leaf.pseudonym))))
        return .object(members)
    }
}

extension [(String, JSONValue)] {
    /// An object with these members.
    var object: JSONValue { .object(map { JSONMember($0.0, $0.1) }) }
}

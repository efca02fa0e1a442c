import HPKI
import JOSE
import Transparency

/// Why evidence in a file does not hold, in words for whoever checks it.
package struct EvidenceFault: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// The first line of an evidence file.
struct EvidenceHeader: Sendable {
    /// The checkpoint as it stands there, with nothing of it checked.
    let unverifiedNote: String
    let isComplete: Bool

    /// Reads a line without its end, to the byte as `LogEvidence` writes it for a log of this name; throws for what is
    /// no header of the format.
    init(_ line: [UInt8], origin: String) throws(EvidenceFault) {
        guard let value = try? JSONValue.read(line), let note = value["checkpoint"]?.text,
            let keys = value["keys"]?.texts, case .boolean(let isComplete)? = value["complete"],
            keys.allSatisfy({ (try? NoteKey($0))?.name == origin }),
            LogEvidence.fileHeader(origin: origin, note: note, keys: keys, isComplete: isComplete).bytes == line
        else { throw EvidenceFault("its first line is no header of \(EvidenceFormat.export)") }
        unverifiedNote = note
        self.isComplete = isComplete
    }
}

extension EvidenceRecord {
    /// Reads a record of a complete export: a line without its end, to the byte as `json` writes it, with all openings of
    /// the leaf or, where it was erased, none; throws for anything else.
    init(completeLine line: [UInt8]) throws(EvidenceFault) {
        guard let value = try? JSONValue.read(line), let text = value["leaf"]?.text,
            let bytes = Base64.decode(text), let leaf = try? Leaf(bytes), case .array(let items)? = value["detail"]
        else { throw EvidenceFault("is no record") }
        var openings: [Detail.Opening] = []
        for item in items {
            guard case .number(let digits)? = item["field"], let number = UInt8(digits),
                let field = DetailField(rawValue: number), let value = item["value"]?.text,
                let salt = item["salt"]?.text.flatMap(Hex.decode), salt.count == 16
            else { throw EvidenceFault("has an opening that cannot be read") }
            openings.append(Detail.Opening(field: field, salt: salt, value: value))
        }
        guard openings.isEmpty || openings.map(\.commitment) == leaf.commitments else {
            throw EvidenceFault("its detail does not open the leaf's commitments")
        }
        self.init(leaf: leaf, openings: openings, proof: nil)
        guard json.bytes == line else { throw EvidenceFault("says of itself what its leaf does not") }
    }
}

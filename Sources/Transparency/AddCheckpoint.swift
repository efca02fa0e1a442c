import HPKI

/// What a log sends to a witness: its checkpoint, and the proof that it begins with what the witness has seen
/// (C2SP tlog-witness, "add-checkpoint").
package struct AddCheckpoint: Sendable, Hashable {
    /// The longest request that is read, in bytes.
    package static let longest = 1 << 16
    /// The most hashes that a proof may have.
    package static let mostHashes = 63

    /// The size of the tree that the witness cosigned last; 0 where it has seen none.
    package let oldSize: UInt64
    /// Each 32 bytes.
    package let proof: [[UInt8]]
    package let note: SignedNote
    /// What the note's text says.
    package let checkpoint: Checkpoint

    /// A request of its parts; throws `.malformedCheckpoint` where the note is none.
    package init(oldSize: UInt64, proof: [[UInt8]], note: SignedNote) throws(TransparencyError) {
        self.oldSize = oldSize
        self.proof = proof
        self.note = note
        checkpoint = try Checkpoint(text: note.text)
    }

    /// Reads a request's body; throws `.malformedSubmission` and what reading a note or a checkpoint throws.
    package init(_ body: [UInt8]) throws(TransparencyError) {
        guard body.count <= Self.longest else { throw .malformedSubmission("it is longer than \(Self.longest) bytes") }
        // The first empty line ends the proof: a line of it is never empty.
        var lines: [String] = []
        var rest = body[...]
        while true {
            guard let end = rest.firstIndex(of: 0x0A) else {
                throw .malformedSubmission("it has no empty line before the checkpoint")
            }
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            if line.isEmpty { break }
            guard lines.count <= Self.mostHashes, let text = String(validating: line, as: UTF8.self) else {
                throw .malformedSubmission("its proof has more than \(Self.mostHashes) lines, or they are not UTF-8")
            }
            lines.append(text)
        }
        guard let first = lines.first, first.hasPrefix("old "), let size = UInt64(first.dropFirst(4)),
            "old \(size)" == first
        else { throw .malformedSubmission("it does not begin with the word old and a size") }
        var proof: [[UInt8]] = []
        for line in lines.dropFirst() {
            guard let hash = Base64.decode(line), hash.count == 32, Base64.encode(hash) == line else {
                throw .malformedSubmission("a line of the proof is not 32 bytes in Base64")
            }
            proof.append(hash)
        }
        try self.init(oldSize: size, proof: proof, note: try SignedNote(Array(rest)))
    }

    /// The request's body.
    package var body: [UInt8] {
        let proof = proof.map { Base64.encode($0) + "\n" }.joined()
        return Array("old \(oldSize)\n\(proof)\n\(note.encoded)".utf8)
    }

    /// Whether the proof leads from `earlierRoot`, the root over `oldSize` leaves, to this checkpoint
    /// (RFC 6962 §2.1.2); an empty tree before it needs an empty proof.
    package func isConsistent(with earlierRoot: [UInt8]) -> Bool {
        guard oldSize > 0 else {
            return proof.isEmpty && (checkpoint.size > 0 || checkpoint.root == MerkleTree().root)
        }
        return MerkleProof.isConsistent(
            earlierSize: oldSize, earlierRoot: earlierRoot, size: checkpoint.size, root: checkpoint.root, proof: proof)
    }

    /// The signatures in a witness's answer, one line each; throws `.malformedSubmission`.
    package static func signatures(in answer: [UInt8]) throws(TransparencyError) -> [SignedNote.Signature] {
        guard answer.count <= longest, answer.last == 0x0A else {
            throw .malformedSubmission("the answer is too long, or does not end in a newline")
        }
        let lines = answer.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count <= SignedNote.mostSignatures else {
            throw .malformedSubmission("the answer has too many signatures")
        }
        var signatures: [SignedNote.Signature] = []
        for line in lines {
            guard let text = String(validating: line, as: UTF8.self), let signature = SignedNote.Signature(line: text)
            else { throw .malformedSubmission("a line of the answer is no signature") }
            signatures.append(signature)
        }
        return signatures
    }
}

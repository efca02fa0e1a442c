package import HPKI

/// What a log states of itself: how many leaves it has, and the root over them (C2SP tlog-checkpoint).
package struct Checkpoint: Sendable, Hashable {
    /// The log's name.
    package let origin: String
    package let size: UInt64
    /// 32 bytes.
    package let root: [UInt8]

    /// A checkpoint of its parts.
    package init(origin: String, size: UInt64, root: [UInt8]) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// The note's text: three lines.
    package var text: String { "\(origin)\n\(size)\n\(Base64.encode(root))\n" }

    /// Reads a note's text; throws `.malformedCheckpoint`.
    ///
    /// Extension lines are allowed and not kept, since no verifier
    /// can check what they say.
    package init(text: String) throws(TransparencyError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 4, lines.last == "", lines.dropLast().allSatisfy({ !$0.isEmpty }) else {
            throw .malformedCheckpoint("it does not have three lines and no empty one")
        }
        guard let size = UInt64(lines[1]), "\(size)" == lines[1] else {
            throw .malformedCheckpoint("its size is no decimal number")
        }
        let encoded = String(lines[2])
        guard let root = Base64.decode(encoded), root.count == 32, Base64.encode(root) == encoded else {
            throw .malformedCheckpoint("its root is not 32 bytes in Base64")
        }
        self.init(origin: String(lines[0]), size: size, root: root)
    }

    /// Reads a signed checkpoint that one of `keys` signed; throws what reading or verifying it throws.
    package init(_ note: SignedNote, signedBy keys: [NoteKey]) throws(TransparencyError) {
        _ = try note.signers(among: keys)
        self = try Checkpoint(text: note.text)
    }

    /// Signs it with every signer; nil where one gives no signature.
    package func signed(by signers: [NoteSigner], at time: Instant) -> SignedNote? {
        var signatures: [SignedNote.Signature] = []
        for signer in signers {
            guard let signature = signer.sign(text, at: time) else { return nil }
            signatures.append(signature)
        }
        return SignedNote(text: text, signatures: signatures)
    }
}

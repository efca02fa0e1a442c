/// Why a note, a checkpoint or a key was not taken.
package enum TransparencyError: Error, Sendable, Hashable {
    /// What is wrong with the note's form.
    case malformedNote(String)
    /// What is wrong with the checkpoint's three lines.
    case malformedCheckpoint(String)
    /// What is wrong with the text of a verifier key.
    case malformedKey(String)
    /// What is wrong with what a log sends to a witness, or with the witness's answer.
    case malformedSubmission(String)
    /// No signature on the note is by a key that was given.
    case noKnownSigner
    /// The signature under this name claims a key that was given, and does not hold.
    case badSignature(name: String)
}

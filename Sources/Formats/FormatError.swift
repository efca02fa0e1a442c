/// Why a signature form cannot be built from its inputs.
package enum FormatError: Error, Sendable, Hashable {
    /// The form has no signature element of its own here.
    case formWithoutSignature
    /// The form is digested with SHA-256 alone.
    case digestAlgorithmNotOfForm
    /// The content that is to be attached is not the one that was digested.
    case contentNotOfDigest
    /// An element that is no XAdES signature.
    case notXAdES
    /// No reference at all, or more than sixteen.
    case referencesNotOfForm
    /// A SigningTime outside the years 0 to 9999.
    case timeOutOfRange
    /// A name of 0 or more than 64 characters, or an identifier that no PrintableString of 1 to 64 characters holds.
    case subjectNotEncodable
}

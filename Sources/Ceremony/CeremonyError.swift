package import Host

/// Why a ceremony, or what it keeps, was refused; each says what a person can do about it.
package enum CeremonyError: Error, Sendable, Hashable {
    /// The operating system said no.
    case host(HostError)
    /// A file is not what its kind of file looks like.
    case damaged(path: String, what: String)
    /// A name that a protocol could not carry.
    case badName
    /// A passphrase with fewer bytes than `Passphrase.leastBytes`.
    case passphraseTooShort
    /// The passphrase is wrong, or the officer's file was altered: the two cannot be told apart.
    case passphraseRefused(officer: String)
    /// One person, or one key, stands where two different ones must.
    case sameOfficer(String)
    /// Fewer than two officers.
    case tooFewOfficers
    /// More officers than envelopes are made for.
    case tooManyOfficers(limit: Int)
    /// The instance has a register, and it is not that of these officers.
    case otherRegister
    /// An officer whom the register does not know.
    case notRegistered(officer: String)
    /// The two officers do not open this secret, or it was altered.
    case envelopeRefused(label: String)
    /// A protocol does not bear the signatures of two registered officers, or was altered.
    case protocolRefused(path: String, what: String)
    /// A secret's check value is not the one that the officers signed.
    case checkValueDiffers(label: String)
    /// The ceremony does not fit what was done before; the text says what to do.
    case outOfOrder(String)
    /// A backup is not whole, was altered, or is none; the text says which check failed.
    case archiveRefused(String)
    /// Cryptography failed where it cannot with right inputs.
    case cryptography
}

extension CeremonyError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .host(let error): "\(error)"
        case .damaged(let path, let what): "\(path) cannot be used: \(what)"
        case .badName: "an officer's name has 1 to 100 characters, none of them a control character"
        case .passphraseTooShort: "a passphrase has at least \(Passphrase.leastBytes) bytes"
        case .passphraseRefused(let officer):
            "the passphrase does not open the file of \(officer), or the file was altered"
        case .sameOfficer(let name): "two different officers are needed; \(name) stands in both places"
        case .tooFewOfficers: "at least two officers are needed"
        case .tooManyOfficers(let limit): "at most \(limit) officers can be registered"
        case .otherRegister:
            """
            the instance has other officers registered than those named here; the same ones must be present. If no \
            protocol was signed yet, remove custody/officers.json and custody/envelopes, and begin again
            """
        case .notRegistered(let officer):
            "\(officer) is not registered as an officer of this instance; see who is: shirushi hsm protocol verify"
        case .envelopeRefused(let label):
            "the envelope `\(label)` does not open for these two officers, or was altered"
        case .protocolRefused(let path, let what): "the protocol \(path) does not hold: \(what)"
        case .checkValueDiffers(let label):
            """
            the value in the envelope `\(label)` is not the one whose check value the officers signed: the envelope was \
            replaced. Take custody/envelopes/\(label).json from a backup
            """
        case .outOfOrder(let what): what
        case .archiveRefused(let what): "the backup is refused: \(what)"
        case .cryptography: "a cryptographic operation failed"
        }
    }
}

/// Gives what the operating system answered, or its error as ours.
func hosted<Value>(_ body: () throws(HostError) -> Value) throws(CeremonyError) -> Value {
    do { return try body() } catch { throw .host(error) }
}

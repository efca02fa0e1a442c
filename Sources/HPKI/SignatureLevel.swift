/// A baseline level of a signature, each holding what the one before has (ETSI EN 319 132-1 and EN 319 122-1, §6).
package enum SignatureLevel: String, Sendable, Hashable, CaseIterable, Comparable {
    /// The signature with its signed properties.
    case bB = "B-B"
    /// With a time stamp over the signature's value.
    case bT = "B-T"
    /// With the certificates and revocation data that a verifier will need.
    case bLT = "B-LT"
    /// With a time stamp over all of it, so that it can be believed when its algorithms or certificates have ended.
    case bLTA = "B-LTA"

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// A lower level holds less.
    package static func < (one: SignatureLevel, other: SignatureLevel) -> Bool { one.rank < other.rank }
}

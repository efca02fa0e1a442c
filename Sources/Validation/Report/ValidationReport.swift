package import HPKI

/// What a judgement comes to; a validator that does not know says indeterminate.
package enum Verdict: String, Sendable, Hashable, Codable {
    case passed
    case failed
    case indeterminate

    /// The exit status of `shirushi verify`: 0 passed, 1 failed, 2 indeterminate.
    package var exitCode: Int32 {
        switch self {
        case .passed: 0
        case .failed: 1
        case .indeterminate: 2
        }
    }
}

/// The judgement on all signatures of one document.
package struct ValidationReport: Sendable, Hashable {
    /// Inner signatures first.
    package let signatures: [SignatureReport]
    /// What is wrong with the document itself, apart from any one signature.
    package let findings: [Finding]
    /// The moment as of which certificates were judged.
    package let judgedAt: Instant
    /// The name of the validation policy that was applied.
    package let policy: String
    /// SHA-256 of the policy's file; nil for the one that is built in.
    package let policyDigest: Digest?

    /// The worst of the document's findings and its signatures; never passed where there is no signature.
    package var result: Verdict {
        let indications = findings.map(\.indication) + signatures.map(\.indication)
        if indications.isEmpty || indications.contains(.totalFailed) { return .failed }
        return indications.contains(.indeterminate) ? .indeterminate : .passed
    }

    /// The codes of everything that was found, each once, in order.
    package var reasons: [String] {
        var seen: Set<String> = []
        return (findings + signatures.flatMap(\.findings)).map(\.reason).filter { seen.insert($0).inserted }
    }
}

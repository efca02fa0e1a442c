internal import HPKI

extension ValidationReport {
    /// The report for a person: who signed, in what role, when, what is covered, and what was not examined.
    package var text: String {
        var lines = ["Result: \(result.rawValue)"]
        lines += findings.map { "  \($0.sentence) (\($0.reason))" }
        for signature in signatures { lines += signature.lines }
        return lines.map(Self.printable).joined(separator: "\n") + "\n"
    }

    /// Names come from hostile certificates: nothing of them may steer a terminal.
    private static func printable(_ line: String) -> String {
        String(
            String.UnicodeScalarView(
                line.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                        "?"
                    default: scalar
                    }
                }
            )
        )
    }
}

extension SignatureReport {
    fileprivate var lines: [String] {
        var lines = ["", "\(title): \(indication.rawValue)" + (subIndication.map { " / \($0.rawValue)" } ?? "")]
        lines += findings.map { "  \($0.sentence) (\($0.reason))" }
        lines.append("  Digests and signature value: " + (isCryptographicallyGood ? "good" : "not good"))
        if let signer {
            let names = [signer.commonName, signer.japaneseName].compactMap(\.self).joined(separator: " / ")
            lines.append("  Signer: " + (names.isEmpty ? "without a name" : names))
            lines.append("  Role: " + (signer.roles.isEmpty ? "none" : signer.roles.joined(separator: ", ")))
            lines.append("  Authority: \(signer.authority)")
            lines.append("  Certificate: serial \(signer.serialNumber), SHA-256 \(signer.fingerprint)")
        }
        lines.append(
            "  Signed at: " + (claimedSigningTime?.rfc3339.map { "\($0) (claimed, not proven)" } ?? "not said"))
        if let coverage {
            lines.append(
                "  Covers: the element \(coverage.element) (id \(coverage.id)), \(coverage.canonicalByteCount) bytes;"
                    + " not the rest of the document, nor any comment in it"
            )
        }
        if !notExamined.isEmpty { lines.append("  Not examined: " + notExamined.joined(separator: ", ")) }
        return lines
    }

    private var title: String {
        switch kind {
        case .prescription: "Prescription signature"
        case .embeddedPrescription: "Prescription signature inside the dispensing result"
        case .dispensing: "Dispensing signature"
        }
    }
}

internal import HPKI

extension ValidationReport {
    /// The report for a person: who signed, in what role, when, what is covered, and what was not examined.
    package var text: String {
        var lines = ["Result: \(result.rawValue)"]
        lines += findings.map { "  \($0.sentence) (\($0.reason))" }
        for signature in signatures { lines += signature.lines }
        lines += ["", "Validation policy: \(policy)" + (policyDigest.map { ", SHA-256 \($0.hex)" } ?? "")]
        return lines.map(Self.printable).joined(separator: "\n") + "\n"
    }

    /// Names come from hostile certificates: nothing of them may steer a terminal.
    static func printable(_ line: String) -> String {
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
        lines += remarks.map { "  Note: \($0.sentence) (\($0.reason))" }
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
        if let time = provenSigningTime?.rfc3339 {
            lines.append("  Proven: the signature existed at \(time), by a time stamp")
        }
        lines += timeStamps.flatMap(\.lines)
        lines += covered.map { "  Covers: \($0.sentence)" }
        if !path.isEmpty { lines.append("  Path: " + path.joined(separator: " <- ")) }
        lines += revocation.map(\.line)
        if let level { lines.append("  Level: \(level.rawValue)") }
        if !notExamined.isEmpty { lines.append("  Not examined: " + notExamined.joined(separator: ", ")) }
        return lines
    }

    /// What the signature is, in English.
    var title: String {
        switch kind {
        case .prescription: "Prescription signature"
        case .embeddedPrescription: "Prescription signature inside the dispensing result"
        case .dispensing: "Dispensing signature"
        case .xades: "XML signature"
        case .cades: "CMS signature"
        }
    }
}

extension SignatureReport.Coverage {
    /// What is covered, and what is not, in English.
    var sentence: String {
        switch kind {
        case .element:
            "the element \(element) (id \(id), at \(path)), \(canonicalByteCount) bytes;"
                + " not the rest of the document, nor any comment in it"
        case .document:
            "the whole document \(element) but for the signature and comments, \(canonicalByteCount) bytes"
        case .octets:
            (canonicalByteCount == 0 ? "data of which only the digest is known" : "\(canonicalByteCount) bytes")
                + (isWholeDocument ? " inside the signature" : " given beside the signature")
                + (leavesOutComments ? ", as XML without comments" : "")
                + (uri.isEmpty ? "" : " (\(uri))")
        }
    }
}

extension TimeStampReport {
    fileprivate var lines: [String] {
        let kind = kind == .archive ? "Archive time stamp" : "Time stamp"
        let stated = time?.rfc3339 ?? "an unknown time"
        return [
            "  \(kind): \(stated) by \(authority ?? "an unknown authority"): \(indication.rawValue)"
                + (subIndication.map { " / \($0.rawValue)" } ?? "")
        ] + findings.map { "    \($0.sentence) (\($0.reason))" }
    }
}

extension RevocationSource {
    fileprivate var line: String {
        "  Not revoked: \(certificate), by the \(kind.rawValue) of \(thisUpdate.rfc3339 ?? "an unknown time")"
            + (isEmbedded ? ", which came with the signature" : "")
    }
}

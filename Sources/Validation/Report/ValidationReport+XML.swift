internal import HPKI
internal import XML

extension ValidationReport {
    /// The report in XML, with names after those of ETSI TS 119 102-2 as recalled; no claim to conform to it, so the
    /// namespace is this project's own.
    package var xml: String {
        var tree = XMLLines()
        tree.open("ValidationReport", [("xmlns", "urn:shirushi:validation-report:1")])
        tree.leaf("ValidationTime", judgedAt.rfc3339)
        tree.open("SignatureValidationPolicy")
        tree.leaf("SignaturePolicyIdentifier", policy)
        tree.leaf("PolicyDigest", policyDigest?.hex, [("Algorithm", "sha256")])
        tree.close()
        tree.leaf("OverallResult", result.rawValue)
        findings.forEach { tree.add($0) }
        signatures.forEach { tree.add($0) }
        tree.close()
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + tree.text
    }
}

/// Elements one below another, every name a literal and every value escaped.
private struct XMLLines {
    private(set) var text = ""
    private var open: [String] = []

    private var margin: String { String(repeating: "  ", count: open.count) }

    private static func attributes(_ attributes: [(String, String)]) -> String {
        attributes.map { " \($0.0)=\"\(XMLText.escapeAttribute(ValidationReport.printable($0.1)))\"" }.joined()
    }

    mutating func open(_ name: String, _ attributes: [(String, String)] = []) {
        text += "\(margin)<\(name)\(Self.attributes(attributes))>\n"
        open.append(name)
    }

    mutating func close() {
        guard let name = open.popLast() else { return }
        text += "\(margin)</\(name)>\n"
    }

    mutating func leaf(_ name: String, _ value: String?, _ attributes: [(String, String)] = []) {
        guard let value else { return }
        let escaped = XMLText.escape(ValidationReport.printable(value))
        text += "\(margin)<\(name)\(Self.attributes(attributes))>\(escaped)</\(name)>\n"
    }

    mutating func status(_ indication: Indication, _ sub: SubIndication?, _ findings: [Finding]) {
        open("SignatureValidationStatus")
        leaf("MainIndication", indication.rawValue)
        leaf("SubIndication", sub?.rawValue)
        findings.forEach { add($0) }
        close()
    }

    mutating func add(_ finding: Finding) {
        open("AssociatedValidationReportData")
        leaf("Indication", finding.indication.rawValue)
        leaf("SubIndication", finding.subIndication.rawValue)
        leaf("Reason", finding.reason)
        leaf("Message", finding.sentence)
        close()
    }

    mutating func add(_ signature: SignatureReport) {
        open("SignatureValidationReport", [("Kind", signature.kind.rawValue)])
        status(signature.indication, signature.subIndication, signature.findings)
        leaf("SignatureLevel", signature.level?.rawValue)
        leaf("DigestsAndValueHold", signature.isCryptographicallyGood ? "true" : "false")
        if let signer = signature.signer {
            open("SignerInformation")
            leaf("Signer", signer.commonName)
            leaf("SignerInJapanese", signer.japaneseName)
            signer.roles.forEach { leaf("SignerRole", $0) }
            leaf("Issuer", signer.authority)
            leaf("SerialNumber", signer.serialNumber)
            leaf("CertificateDigest", signer.fingerprint, [("Algorithm", "sha256")])
            close()
        }
        leaf("ClaimedSigningTime", signature.claimedSigningTime?.rfc3339)
        leaf("BestSignatureTime", signature.provenSigningTime?.rfc3339)
        for part in signature.covered {
            leaf(
                "SignersDocument", part.path,
                [("Kind", part.kind.rawValue), ("URI", part.uri), ("Bytes", "\(part.canonicalByteCount)")]
                    + [("IsWholeDocument", part.isWholeDocument ? "true" : "false")])
        }
        for stamp in signature.timeStamps {
            open("TimeStampValidationReport", [("Kind", stamp.kind.rawValue)])
            status(stamp.indication, stamp.subIndication, stamp.findings)
            leaf("Time", stamp.time?.rfc3339)
            leaf("Authority", stamp.authority)
            close()
        }
        if !signature.path.isEmpty {
            open("CertificateChain")
            signature.path.forEach { leaf("Certificate", $0) }
            close()
        }
        for source in signature.revocation {
            leaf(
                "RevocationStatusInformation", source.certificate,
                [("Kind", source.kind.rawValue), ("ThisUpdate", source.thisUpdate.rfc3339 ?? "")])
        }
        signature.remarks.forEach { leaf("Remark", $0.sentence, [("Reason", $0.reason)]) }
        signature.algorithms.forEach { leaf("Algorithm", $0) }
        signature.notExamined.forEach { leaf("NotExamined", $0) }
        close()
    }
}

package import Certificates
package import HPKI
package import XML

/// Judges the signatures of prescriptions and dispensing results (after ETSI EN 319 102-1 §5.3).
///
/// Stricter than the standard where the form is known: an algorithm or role outside it fails instead of staying
/// indeterminate. No time stamp is examined, so certificates are judged as of the given moment.
package struct SignatureValidator: Sendable {
    private let path: PathValidator

    /// A validator over one snapshot of trust and revocation data.
    package init(trust: TrustStore, crls: CRLStore, requirements: PathRequirements = .hpkiSigning) {
        path = PathValidator(trust: trust, crls: crls, requirements: requirements)
    }

    /// Knows no anchor, so nothing passes: good cryptography stays indeterminate.
    package static let trustingNobody = SignatureValidator(trust: TrustStore(anchors: []), crls: CRLStore())

    /// Judges a document from its bytes; one that cannot be read has failed.
    package func judge(_ bytes: [UInt8], at now: Instant) -> ValidationReport {
        do {
            return judge(try XMLDocument(parsing: bytes), at: now)
        } catch {
            let finding = Finding.format("not-well-formed", "The document is refused by the XML reader: \(error).")
            return ValidationReport(signatures: [], findings: [finding], judgedAt: now)
        }
    }

    /// Judges a document that was read before.
    package func judge(_ document: XMLDocument, at now: Instant) -> ValidationReport {
        do {
            let places = try SignaturePlaces(in: document)
            return ValidationReport(
                signatures: places.places.map { report(on: $0, at: now) }, findings: places.findings, judgedAt: now
            )
        } catch {
            return ValidationReport(signatures: [], findings: [error], judgedAt: now)
        }
    }

    private func report(on place: SignaturePlace, at now: Instant) -> SignatureReport {
        var report = SignatureReport(kind: place.kind)
        do {
            let signature = try ParsedSignature(place.signature)
            report.describe(signature)
            if let certificate = try? CryptographicCheck.certificate(of: signature) { report.describe(certificate) }
            let check = try CryptographicCheck(signature, at: place)
            report.isCryptographicallyGood = true
            report.coverage = check.coverage
            report.findings += judgeProperties(signature.properties, at: now)
            report.findings += judgeRole(of: check.certificate, as: place.kind)
            if let fault = path.judge(check.certificate, intermediates: check.others, at: now).fault {
                report.findings.append(fault.finding(signedAt: report.claimedSigningTime))
            }
        } catch {
            report.findings.append(error)
        }
        return report
    }

    private func judgeProperties(_ properties: SignedProperties, at now: Instant) -> [Finding] {
        var findings: [Finding] = []
        if !properties.notUnderstood.isEmpty {
            findings.append(
                .unknown(
                    .signatureConstraintsFailure, "signed-property-not-understood",
                    "The signer signed properties that are not understood here."
                )
            )
        }
        if let time = properties.signingTime, time > now.adding(seconds: 300) {
            findings.append(
                .unknown(.notYetValid, "signing-time-in-future", "The signature claims a time that has not come yet.")
            )
        }
        return findings
    }

    private func judgeRole(of certificate: HPKICertificate, as kind: SignatureReport.Kind) -> [Finding] {
        let entitled: [HCRole] = kind == .dispensing ? [.pharmacist] : [.medicalDoctor, .dentist]
        // By bytes: texts that merely look alike are not the same role.
        let fits = certificate.roles.contains { role in
            entitled.contains { $0.description.utf8.elementsEqual(role.description.utf8) }
        }
        if fits { return [] }
        return [
            .failed(
                .signatureConstraintsFailure, "role-not-of-form",
                "The signer's certificate has no role that may sign this kind of document."
            )
        ]
    }
}

extension SignatureReport {
    fileprivate mutating func describe(_ signature: ParsedSignature) {
        claimedSigningTime = signature.properties.signingTime
        notExamined = signature.properties.unsigned
        let met =
            [signature.method.method.algorithm, signature.signatureMethod]
            + signature.references.flatMap { [$0.method.method.algorithm, $0.digestMethod] }
        algorithms = Set(met).sorted()
    }

    fileprivate mutating func describe(_ certificate: HPKICertificate) {
        signer = Signer(
            commonName: certificate.commonName, japaneseName: certificate.japaneseName,
            roles: certificate.roles.map(\.description), authority: certificate.issuer.text,
            serialNumber: certificate.serialHex, fingerprint: certificate.fingerprint.hex
        )
    }
}

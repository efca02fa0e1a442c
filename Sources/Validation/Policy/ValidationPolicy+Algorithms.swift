internal import Certificates
internal import HPKI

// Whether algorithms are accepted, each as of the moment at which what it was used for is proven to have existed
// (ETSI EN 319 102-1 §5.2.8 and §5.6.2, as recalled). Without such proof that moment is now.
extension ValidationPolicy {
    /// What keeps an algorithm of `signature` from being accepted.
    func findings(on signature: CheckedSignature, at now: Instant, proven: Instant?) -> [Finding] {
        var findings = [finding(on: signature.scheme, at: now, proven: proven, .signature)]
        for function in signature.digests.sorted(by: { $0.rawValue < $1.rawValue }) {
            findings.append(finding(on: function, at: now, proven: proven, .signature))
        }
        if case .rsa(let bits) = signature.certificate.publicKey.kind, bits < minimumModulusBits {
            findings.append(
                .unknown(
                    .cryptoConstraintsFailure, "key-too-short",
                    "The signer's RSA key has \(bits) bits; the validation policy asks for \(minimumModulusBits)."))
        }
        return findings.compactMap(\.self)
    }

    /// What keeps the algorithms from being accepted by which the certificates of `path` are signed, each once.
    ///
    /// Those in `trust`, the anchor among them, are there by the operator's word and need no other. `proven` tells since
    /// when one that came along is known to exist: later, whoever can break the algorithm could have made it.
    func findings(
        on path: [HPKICertificate], _ trust: TrustStore, at now: Instant, proven: (HPKICertificate) -> Instant?
    ) -> [Finding] {
        let known = trust.anchors + trust.intermediates
        var findings: [Finding] = []
        for certificate in path where !known.contains(certificate) {
            guard let scheme = certificate.signatureScheme,
                let found = finding(on: scheme, at: now, proven: proven(certificate), .certificate),
                !findings.contains(found)
            else { continue }
            findings.append(found)
        }
        return findings
    }

    /// What keeps an algorithm of a time stamp, or of its authority's `path`, from being accepted.
    func findings(
        on token: TimeStampToken, _ path: [HPKICertificate], _ trust: TrustStore, at now: Instant, proven: Instant?,
        certificates: [[UInt8]: Instant]
    ) -> [Finding] {
        let own = [
            token.signatureScheme.flatMap { finding(on: $0, at: now, proven: proven, .timeStamp) },
            finding(on: token.unverifiedInfo.imprint.algorithm, at: now, proven: proven, .timeStamp),
        ]
        return own.compactMap(\.self)
            + findings(on: path, trust, at: now) { certificate in
                // What stands in the token is as old as the token, and so is the certificate that it binds.
                certificate == path.first || token.certificates.contains(certificate)
                    ? proven : certificates[certificate.der]
            }
    }

    // MARK: One algorithm

    /// What an algorithm was used for.
    private enum Use {
        case signature
        case certificate
        case timeStamp

        var notAccepted: String {
            switch self {
            case .signature: "algorithm-not-accepted"
            case .certificate: "certificate-algorithm-not-accepted"
            case .timeStamp: "time-stamp-algorithm-not-accepted"
            }
        }

        var noLongerAccepted: String {
            switch self {
            case .signature: "algorithm-no-longer-accepted"
            case .certificate: "certificate-algorithm-no-longer-accepted"
            case .timeStamp: "time-stamp-algorithm-no-longer-accepted"
            }
        }

        var words: String {
            switch self {
            case .signature: ""
            case .certificate: ", by which a certificate of the path is signed"
            case .timeStamp: ", which the time stamp uses"
            }
        }
    }

    private func finding(
        on scheme: SignatureScheme, at now: Instant, proven: Instant?, _ use: Use
    ) -> Finding? {
        finding(signatureAlgorithms[scheme.policyName], scheme.policyName, at: now, proven, use)
    }

    private func finding(
        on function: DigestAlgorithm, at now: Instant, proven: Instant?, _ use: Use
    ) -> Finding? {
        finding(digestAlgorithms[function], function.rawValue, at: now, proven, use)
    }

    private func finding(
        _ entry: Instant??, _ name: String, at now: Instant, _ proven: Instant?, _ use: Use
    ) -> Finding? {
        guard let until = entry else {
            return .unknown(
                .cryptoConstraintsFailure, use.notAccepted,
                "The validation policy does not accept \(name)\(use.words).")
        }
        guard let until, now >= until else { return nil }
        if let proven, proven < until { return nil }
        return .unknown(
            proven == nil ? .cryptoConstraintsFailureNoProofOfExistence : .cryptoConstraintsFailure,
            use.noLongerAccepted,
            "The validation policy accepts \(name) only until \(until.rfc3339 ?? "an unknown time")\(use.words).")
    }
}

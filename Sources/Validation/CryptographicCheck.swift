internal import Certificates
internal import Formats
internal import HPKI
internal import XML

/// Digests, signature value and the binding of the certificate: everything but trust.
struct CryptographicCheck {
    let certificate: HPKICertificate
    let others: [HPKICertificate]
    let coverage: SignatureReport.Coverage

    /// Checks `signature` at `place`; throws the first thing that does not hold.
    init(_ signature: ParsedSignature, at place: SignaturePlace) throws(Finding) {
        let certificate = try Self.certificate(of: signature)
        self.certificate = certificate
        others = signature.certificates.compactMap(ReadCertificates.certificate).filter { $0 != certificate }
        coverage = try Self.checkReferences(of: signature, at: place)
        try Self.checkValue(of: signature, by: certificate.publicKey)
    }

    /// The certificate of KeyInfo that the signed properties name by digest.
    static func certificate(of signature: ParsedSignature) throws(Finding) -> HPKICertificate {
        let named = signature.properties.certificate
        let algorithm = try digestAlgorithm(named.algorithm)
        guard let der = signature.certificates.first(where: { Digest(of: $0, by: algorithm).bytes == named.value })
        else {
            throw .failed(
                .signatureCryptoFailure, "certificate-not-bound",
                "The signed properties name another certificate than KeyInfo holds."
            )
        }
        guard let certificate = ReadCertificates.certificate(der) else {
            throw .format("certificate-malformed", "The signing certificate cannot be read.")
        }
        return certificate
    }

    private static func checkReferences(
        of signature: ParsedSignature, at place: SignaturePlace
    ) throws(Finding) -> SignatureReport.Coverage {
        var coverage: SignatureReport.Coverage?
        var seen: [XMLElement] = []
        for reference in signature.references {
            let target = try target(of: reference, in: signature, at: place)
            guard !seen.contains(target) else {
                throw .format("repeated-reference", "Two References are to the same element.")
            }
            seen.append(target)
            let canonical = reference.method.canonicalize(target)
            let algorithm = try digestAlgorithm(reference.digestMethod)
            guard Digest(of: canonical, by: algorithm).bytes == reference.digest else {
                throw .failed(
                    .hashFailure, "digest-mismatch", "The element \(target.localName) is not what was signed."
                )
            }
            if target == place.data {
                coverage = SignatureReport.Coverage(
                    element: target.localName, id: String(place.uri.dropFirst()), canonicalByteCount: canonical.count,
                    isWholeDocument: false
                )
            }
        }
        guard let coverage, seen.contains(signature.properties.element) else {
            throw .format("missing-reference", "The data element or the signed properties are not signed.")
        }
        return coverage
    }

    /// The very element that must be meant; any other Reference is refused, a Manifest among them.
    private static func target(
        of reference: ParsedReference, in signature: ParsedSignature, at place: SignaturePlace
    ) throws(Finding) -> XMLElement {
        let strange = Finding.format("unexpected-reference", "A Reference is to something the form does not sign.")
        guard reference.uri.utf8.first == UInt8(ascii: "#"),
            // A byte, not a Character: a combining mark behind `#` belongs to the id.
            let target = signature.element.document.element(
                id: String(decoding: reference.uri.utf8.dropFirst(), as: UTF8.self))
        else { throw strange }
        if target == signature.properties.element {
            guard reference.type == Namespaces.signedPropertiesType else {
                throw .format("signed-properties-type", "The Reference to the signed properties lacks its Type.")
            }
            return target
        }
        guard reference.type == nil else { throw strange }
        if target == signature.keyInfo { return target }
        guard target == place.data, reference.uri.utf8.elementsEqual(place.uri.utf8) else { throw strange }
        return target
    }

    private static func checkValue(of signature: ParsedSignature, by key: VerificationKey) throws(Finding) {
        let bytes = signature.method.canonicalize(signature.signedInfo)
        do throws(SignatureError) {
            if let algorithm = SignatureAlgorithm.allCases.first(where: { signature.isBy($0.xmlIdentifier) }) {
                try key.verify(signature: signature.value, over: bytes, algorithm: algorithm)
            } else if let scheme = LongerHash.allCases.first(where: { signature.isBy($0.rawValue) })?.scheme {
                try key.verify(signature: signature.value[...], over: bytes[...], scheme: scheme)
            } else {
                throw SignatureError.unsupportedAlgorithm
            }
        } catch .unsupportedAlgorithm {
            throw .failed(
                .cryptoConstraintsFailure, "algorithm-not-accepted", "The signature algorithm is not accepted."
            )
        } catch {
            throw .failed(
                .signatureCryptoFailure, "signature-value-mismatch", "The signature value does not hold."
            )
        }
    }

    private static func digestAlgorithm(_ identifier: String) throws(Finding) -> DigestAlgorithm {
        switch identifier {
        case Namespaces.sha256: return .sha256
        case "http://www.w3.org/2001/04/xmldsig-more#sha384": return .sha384
        case "http://www.w3.org/2001/04/xmlenc#sha512": return .sha512
        default:
            throw .failed(
                .cryptoConstraintsFailure, "algorithm-not-accepted",
                "A digest algorithm is not accepted; SHA-1 is none."
            )
        }
    }
}

extension ParsedSignature {
    fileprivate func isBy(_ identifier: String) -> Bool { signatureMethod.utf8.elementsEqual(identifier.utf8) }
}

/// RSASSA-PKCS1-v1_5 with the longer hashes (RFC 6931 §2.3.3, §2.3.4): verified, never made here.
private enum LongerHash: String, CaseIterable {
    case sha384 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
    case sha512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"

    var scheme: SignatureScheme? {
        let oid = self == .sha384 ? OID.sha384WithRSAEncryption : OID.sha512WithRSAEncryption
        return (try? SignatureScheme.read(DER.sequence(DER.objectIdentifier(oid), DER.null)[...])) ?? nil
    }
}

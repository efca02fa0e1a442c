internal import Certificates
package import HPKI

extension OwnCheck {
    /// Checks a CAdES signature of one signer that was just assembled, from its final bytes, before anyone sees it.
    ///
    /// Cryptography and structure alone, as `verify`; time stamps must be of this signature. A detached one is checked
    /// against `content` or `contentDigest`. Throws the first thing that does not hold of the signature under
    /// `certificate` (DER).
    package static func verifyCAdES(
        _ bytes: [UInt8], content: [UInt8]?, contentDigest: Digest?, certificate: [UInt8]
    ) throws(Finding) {
        let parsed = try ParsedCAdES(bytes)
        guard parsed.signers.count == 1 else {
            throw .format("signer-count", "The signature has \(parsed.signers.count) signers.")
        }
        let held = CAdESContent(octets: content, digests: contentDigest.map { [$0] } ?? [])
        let check = try CAdESCheck(parsed, content: held)
        guard check.certificate.der == certificate else {
            throw .failed(
                .signatureCryptoFailure, "certificate-not-bound", "The signature names another certificate.")
        }
        for stamp in check.archiveTimeStamps {
            if let finding = stamp.finding { throw finding }
        }
        let stamps =
            check.signatureTimeStamps.map { ($0.token, $0.octets) }
            + check.archiveTimeStamps.map { ($0.token, $0.octets ?? []) }
        for (token, octets) in stamps {
            guard let imprint = try? TimeStampToken(der: token).unverifiedInfo.imprint,
                imprint == Digest(of: octets, by: imprint.algorithm)
            else {
                throw .failed(
                    .hashFailure, "time-stamp-of-other-data", "A time stamp is not of this signature.")
            }
        }
    }
}

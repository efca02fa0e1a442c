internal import Certificates
internal import Formats
internal import HPKI

/// An archive-time-stamp-v3 with what it is over, computed anew (ETSI EN 319 122-1 §5.5.3 as recalled).
///
/// Whose the token is, and whether it is of these octets, is left to the process of validation.
struct CAdESArchiveTimeStamp {
    let token: [UInt8]
    /// What the token must be of; nil where it cannot be computed, for the reason in `finding`.
    let octets: [UInt8]?
    /// What the token states, unverified; nil where it cannot be read.
    let statedTime: Instant?
    /// What it protects of the certificates, CRLs and OCSP responses in the SignedData.
    let protected: ValidationMaterial
    /// Tokens of this signer's other time stamps that it protects.
    let protectedTimeStamps: Set<[UInt8]>
    /// Why it proves nothing, whatever the token says.
    let finding: Finding?

    /// Reads one value of the attribute.
    init(_ token: [UInt8], of signer: CMSSignerInfo, in signedData: CMSSignedData, content: CAdESContent) {
        self.token = token
        let read = try? TimeStampToken(der: token)
        statedTime = read?.unverifiedInfo.genTime
        do throws(Finding) {
            guard let read else { throw Self.malformed("its token cannot be read") }
            let index = try Self.index(of: read)
            let digest = try content.digest(of: signedData, by: index.algorithm)
            let present = try Present(signer, signedData, index)
            octets = signedData.archiveTimeStampOctets(signer, contentDigest: digest, index: index)
            protected = present.material
            protectedTimeStamps = present.timeStamps
            finding = nil
        } catch {
            octets = nil
            (protected, protectedTimeStamps) = (ValidationMaterial(), [])
            finding = error
        }
    }

    private static func malformed(_ why: String) -> Finding {
        .format("archive-time-stamp-malformed", "An archive time stamp is not of the form: \(why).")
    }

    private static func index(of token: TimeStampToken) throws(Finding) -> ATSHashIndexV3 {
        let values = token.signedData.signers.flatMap(\.unsignedAttributes)
            .filter { $0.type == OID.atsHashIndexV3 }.flatMap(\.values)
        guard let only = values.first, values.count == 1, let index = try? ATSHashIndexV3(der: only) else {
            throw malformed("it has not exactly one hash index that can be read")
        }
        guard index.algorithm == token.unverifiedInfo.imprint.algorithm else {
            throw malformed("its hash index is by another function than its imprint")
        }
        return index
    }

    /// What stands in the SignedData and in the index.
    private struct Present {
        let material: ValidationMaterial
        let timeStamps: Set<[UInt8]>

        /// Throws where the index names something that is not there any more.
        init(_ signer: CMSSignerInfo, _ signedData: CMSSignedData, _ index: ATSHashIndexV3) throws(Finding) {
            func chosen(_ choices: [DERElement], _ digests: [[UInt8]]) throws(Finding) -> [DERElement] {
                let wanted = Set(digests)
                var found: [[UInt8]: DERElement] = [:]
                for choice in choices {
                    let digest = ATSHashIndexV3.digest(choice, by: index.algorithm)
                    if wanted.contains(digest) { found[digest] = choice }
                }
                guard found.count == wanted.count else { throw Self.gone }
                return choices.filter { found[ATSHashIndexV3.digest($0, by: index.algorithm)] != nil }
            }
            let certificates = try chosen(signedData.certificateChoices, index.certificates)
            material = ValidationMaterial(
                certificates: certificates.filter { $0.tag == .sequence }.map { Array($0.encoded) },
                revocationChoices: try chosen(signedData.revocationChoices, index.revocation))
            var left = Set(index.attributeValues)
            var tokens: Set<[UInt8]> = []
            for attribute in signer.unsignedAttributes {
                let digests = ATSHashIndexV3.digests(attribute, by: index.algorithm)
                for (value, digest) in zip(attribute.values, digests) where left.remove(digest) != nil {
                    if [OID.signatureTimeStamp, OID.archiveTimeStampV3].contains(attribute.type) {
                        tokens.insert(Array(value.encoded))
                    }
                }
            }
            guard left.isEmpty else { throw Self.gone }
            timeStamps = tokens
        }

        private static var gone: Finding {
            .failed(
                .hashFailure, "archived-data-missing",
                "An archive time stamp is over certificates, revocation data or attributes that are not there.")
        }
    }
}

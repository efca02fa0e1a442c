package import Certificates
package import HPKI

/// Raises one signer's CAdES signature from level to level, own or foreign (ETSI EN 319 122-1 §5.3 to §5.5 and §6 as
/// recalled; RFC 5126 §6.1).
///
/// Pure functions from bytes to bytes: who stamps and what is revoked is the caller's to find out. What was signed stays
/// byte for byte. Each step reads its time stamp and checks that it is of this signature, but not whose it is.
package struct CAdESAugmentation: Sendable {
    /// The signature as it was read.
    package let signedData: CMSSignedData
    /// Which of its signers is meant.
    package let signerIndex: Int
    private let signer: CMSSignerInfo

    /// Reads a ContentInfo in DER; throws `.notSignedData` or `.noSuchSigner`.
    package init(_ der: [UInt8], signer index: Int = 0) throws(CAdESError) {
        do throws(CMSError) {
            signedData = try CMSSignedData(contentInfo: der[...])
        } catch {
            throw .notSignedData(error)
        }
        guard signedData.signers.indices.contains(index) else { throw .noSuchSigner(index) }
        signer = signedData.signers[index]
        signerIndex = index
    }

    /// The octets whose digest a signature time stamp must hold: those of the signature's value (RFC 5126 §6.1.1).
    package var signatureTimeStampOctets: [UInt8] { Array(signer.signature) }

    /// B-T: the signature with this TimeStampToken (DER) over its value.
    ///
    /// Throws `.notTimeStamp` or `.timeStampOfOtherData`.
    package func adding(signatureTimeStamp token: [UInt8]) throws(CAdESError) -> [UInt8] {
        let imprint = try Self.read(token).unverifiedInfo.imprint
        guard imprint == Digest(of: signatureTimeStampOctets, by: imprint.algorithm) else {
            throw .timeStampOfOtherData
        }
        return try adding(
            .init(unsignedAttributes: [CMSEncoding.attribute(OID.signatureTimeStamp, token)]))
    }

    /// B-LT: the signature with what a verifier will need, each once: certificates and CRLs as they are, OCSP responses
    /// as RFC 5940 has them.
    ///
    /// An earlier archive time stamp still holds, but is not over what is added. Throws `.materialMalformed`.
    package func adding(_ material: ValidationMaterial) throws(CAdESError) -> [UInt8] {
        do throws(DERError) {
            for value in material.certificates + material.crls + material.ocspResponses {
                _ = try DERReader.whole(value[...])
            }
        } catch {
            throw .materialMalformed(error)
        }
        return try adding(
            .init(
                certificates: material.certificates,
                revocation: material.crls
                    + material.ocspResponses.map { CMSEncoding.revocationChoice(ocspResponse: $0) }))
    }

    /// What an archive time stamp over all that is here now must be of, by this function.
    ///
    /// `contentDigest` is the content's by the same function, and needed where the signature is detached. Throws
    /// `.contentMissing`, and `.contentNotOfDigest` where it can be told.
    package func archiveTimeStamp(
        by algorithm: DigestAlgorithm = .sha256, contentDigest: Digest? = nil
    ) throws(CAdESError) -> CAdESArchiveImprint {
        let attached = signedData.content.map { Digest(of: Array($0), by: algorithm) }
        guard let digest = attached ?? contentDigest, digest.algorithm == algorithm else { throw .contentMissing }
        if attached != nil, let contentDigest, contentDigest != attached { throw .contentNotOfDigest }
        if signer.digest.algorithm == algorithm, let signed = signer.attributes?.messageDigest {
            guard signed == digest.bytes else { throw .contentNotOfDigest }
        }
        let index = ATSHashIndexV3(of: signedData, signer, by: algorithm)
        let octets = signedData.archiveTimeStampOctets(signer, contentDigest: digest, index: index)
        return CAdESArchiveImprint(imprint: Digest(of: octets, by: algorithm), index: index)
    }

    /// B-LTA: the signature with an archive-time-stamp-v3, into whose token the index goes as an unsigned attribute.
    ///
    /// Throws `.notTimeStamp`, `.timeStampOfOtherData`, and `.signatureChanged` where the imprint was taken of other bytes.
    package func adding(
        archiveTimeStamp token: [UInt8], _ input: CAdESArchiveImprint
    ) throws(CAdESError) -> [UInt8] {
        let read = try Self.read(token)
        guard read.unverifiedInfo.imprint == input.imprint else { throw .timeStampOfOtherData }
        guard ATSHashIndexV3(of: signedData, signer, by: input.index.algorithm) == input.index else {
            throw .signatureChanged
        }
        let index = CMSEncoding.attribute(OID.atsHashIndexV3, input.index.der)
        guard let indexed = read.signedData.adding(.init(unsignedAttributes: [index]), toSigner: 0) else {
            throw .noSuchSigner(0)
        }
        let isListed = signedData.digestAlgorithms.contains { $0.algorithm == input.index.algorithm }
        return try adding(
            .init(
                unsignedAttributes: [CMSEncoding.attribute(OID.archiveTimeStampV3, indexed)],
                // Recommended, so that a reader digests the content in one pass.
                digestAlgorithms: isListed ? [] : [input.index.algorithm.identifier]))
    }

    private func adding(_ addition: CMSSignedData.Addition) throws(CAdESError) -> [UInt8] {
        guard let whole = signedData.adding(addition, toSigner: signerIndex) else {
            throw .noSuchSigner(signerIndex)
        }
        return whole
    }

    private static func read(_ token: [UInt8]) throws(CAdESError) -> TimeStampToken {
        do throws(TimeStampFault) {
            return try TimeStampToken(der: token)
        } catch {
            throw .notTimeStamp(error)
        }
    }
}

/// What an archive time stamp is to be of, and the index that will stand in it.
package struct CAdESArchiveImprint: Sendable, Hashable {
    /// What the time-stamping authority gets.
    package let imprint: Digest
    /// What is protected beside the signature.
    package let index: ATSHashIndexV3
}

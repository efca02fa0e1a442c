package import Certificates

/// Why nothing can be added to a CAdES signature.
package enum CAdESError: Error, Sendable, Hashable {
    /// The bytes are no SignedData.
    case notSignedData(CMSError)
    /// There is no signer of this index.
    case noSuchSigner(Int)
    /// The signature is detached, and the content's digest by the function of the time stamp was not given.
    case contentMissing
    /// The content's digest is another than the one that was signed.
    case contentNotOfDigest
    /// The bytes are no time stamp.
    case notTimeStamp(TimeStampFault)
    /// The time stamp is of other data.
    case timeStampOfOtherData
    /// The signature has changed since the imprint of the archive time stamp was taken.
    case signatureChanged
    /// A certificate, CRL or OCSP response of the material is not DER.
    case materialMalformed(DERError)
}

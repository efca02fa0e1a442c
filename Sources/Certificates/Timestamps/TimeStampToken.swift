/// A TimeStampToken: an authority's signed statement that data existed at a time (RFC 3161 §2.4.2, RFC 5816).
///
/// Reading says nothing about trust: `judge` does.
package struct TimeStampToken: Sendable {
    /// The most bytes a token may have.
    package static let byteLimit = 1 << 20

    /// The bytes as they were given.
    package let der: [UInt8]
    /// What is stated; not to be believed before `judge` has proven it.
    package let unverifiedInfo: TSTInfo
    /// Certificates that came along and can be read; nothing vouches for them.
    package let certificates: [HPKICertificate]
    let signedData: CMSSignedData

    /// Reads one token; throws why the bytes are none.
    package init(der: [UInt8]) throws(TimeStampFault) {
        guard der.count <= Self.byteLimit else { throw .tooLarge }
        signedData = try CMSSignedData(contentInfo: der[...])
        guard signedData.contentType == OID.tSTInfo else { throw .notTimeStamp(signedData.contentType) }
        unverifiedInfo = try TSTInfo(der: signedData.content)
        certificates = signedData.certificates
        self.der = der
    }
}

/// The object identifiers that certificates, CRLs and the HPKI profile use, in dotted decimal.
package enum OID {
    // Attributes of names (X.520).
    package static let commonName = "2.5.4.3"
    package static let serialNumber = "2.5.4.5"
    package static let countryName = "2.5.4.6"
    package static let localityName = "2.5.4.7"
    package static let stateOrProvinceName = "2.5.4.8"
    package static let organizationName = "2.5.4.10"
    package static let organizationalUnitName = "2.5.4.11"
    package static let emailAddress = "1.2.840.113549.1.9.1"

    // Extensions of certificates and CRLs (RFC 5280 §4.2 and §5.2).
    package static let subjectDirectoryAttributes = "2.5.29.9"
    package static let subjectKeyIdentifier = "2.5.29.14"
    package static let keyUsage = "2.5.29.15"
    package static let subjectAltName = "2.5.29.17"
    package static let basicConstraints = "2.5.29.19"
    package static let cRLNumber = "2.5.29.20"
    package static let reasonCode = "2.5.29.21"
    package static let deltaCRLIndicator = "2.5.29.27"
    package static let issuingDistributionPoint = "2.5.29.28"
    package static let certificateIssuer = "2.5.29.29"
    package static let nameConstraints = "2.5.29.30"
    package static let cRLDistributionPoints = "2.5.29.31"
    package static let certificatePolicies = "2.5.29.32"
    package static let anyPolicy = "2.5.29.32.0"
    package static let policyMappings = "2.5.29.33"
    package static let authorityKeyIdentifier = "2.5.29.35"
    package static let policyConstraints = "2.5.29.36"
    package static let extKeyUsage = "2.5.29.37"
    package static let anyExtendedKeyUsage = "2.5.29.37.0"
    package static let inhibitAnyPolicy = "2.5.29.54"
    package static let authorityInfoAccess = "1.3.6.1.5.5.7.1.1"
    package static let ocsp = "1.3.6.1.5.5.7.48.1"
    package static let ocspSigning = "1.3.6.1.5.5.7.3.9"
    package static let ocspBasic = "1.3.6.1.5.5.7.48.1.1"
    package static let ocspNonce = "1.3.6.1.5.5.7.48.1.2"
    package static let ocspNoCheck = "1.3.6.1.5.5.7.48.1.5"

    package static let cPSQualifier = "1.3.6.1.5.5.7.2.1"
    package static let serverAuth = "1.3.6.1.5.5.7.3.1"
    package static let clientAuth = "1.3.6.1.5.5.7.3.2"
    package static let timeStamping = "1.3.6.1.5.5.7.3.8"

    // Keys and signatures (RFC 4055, RFC 5480, RFC 5758).
    package static let rsaEncryption = "1.2.840.113549.1.1.1"
    package static let sha256WithRSAEncryption = "1.2.840.113549.1.1.11"
    package static let sha384WithRSAEncryption = "1.2.840.113549.1.1.12"
    package static let sha512WithRSAEncryption = "1.2.840.113549.1.1.13"
    package static let rsassaPSS = "1.2.840.113549.1.1.10"
    package static let mgf1 = "1.2.840.113549.1.1.8"
    package static let sha1 = "1.3.14.3.2.26"
    package static let sha1WithRSAEncryption = "1.2.840.113549.1.1.5"
    package static let sha256 = "2.16.840.1.101.3.4.2.1"
    package static let sha384 = "2.16.840.1.101.3.4.2.2"
    package static let sha512 = "2.16.840.1.101.3.4.2.3"
    package static let ecPublicKey = "1.2.840.10045.2.1"
    package static let prime256v1 = "1.2.840.10045.3.1.7"
    package static let secp384r1 = "1.3.132.0.34"
    package static let ecdsaWithSHA256 = "1.2.840.10045.4.3.2"
    package static let ecdsaWithSHA384 = "1.2.840.10045.4.3.3"
    package static let ecdsaWithSHA512 = "1.2.840.10045.4.3.4"

    // Cryptographic Message Syntax and time stamps (RFC 5652 §4, §5.1 and §11, RFC 5035, RFC 3161).
    package static let cmsData = "1.2.840.113549.1.7.1"
    package static let cmsSignedData = "1.2.840.113549.1.7.2"
    package static let contentType = "1.2.840.113549.1.9.3"
    package static let messageDigest = "1.2.840.113549.1.9.4"
    package static let signingTime = "1.2.840.113549.1.9.5"
    package static let tSTInfo = "1.2.840.113549.1.9.16.1.4"
    package static let signingCertificate = "1.2.840.113549.1.9.16.2.12"
    package static let signingCertificateV2 = "1.2.840.113549.1.9.16.2.47"
    package static let ocspResponseFormat = "1.3.6.1.5.5.7.16.2"

    // CAdES (RFC 5126, ETSI EN 319 122-1 §5) and what signers add beside (RFC 8551 §2.5.2, RFC 6211, RFC 2634 §2.9).
    package static let signatureTimeStamp = "1.2.840.113549.1.9.16.2.14"
    package static let archiveTimeStampV3 = "0.4.0.1733.2.4"
    package static let atsHashIndexV3 = "0.4.0.19122.1.5"
    package static let mimeType = "0.4.0.1733.2.1"
    package static let signerLocation = "1.2.840.113549.1.9.16.2.17"
    package static let contentHints = "1.2.840.113549.1.9.16.2.4"
    package static let smimeCapabilities = "1.2.840.113549.1.9.15"
    package static let cmsAlgorithmProtection = "1.2.840.113549.1.9.52"

    // The health professions (ISO 17090-2, HPKI certificate policy).
    package static let healthcareActor = "1.0.17090.0.1"
    package static let nationalCodingScheme = "1.2.392.100495.1.6.1.1"
    package static let hpkiSigningPolicy = "1.2.392.100495.1.5.1.1.0.1"
    package static let hpkiSigningAuthorityPolicy = "1.2.392.100495.1.5.1.1.3.1"
    /// Of a person's certificate for logging in; its last arcs are by analogy with those for signing, and were seen in no
    /// certificate, so they are the configuration's to change.
    package static let hpkiAuthenticationPolicy = "1.2.392.100495.1.5.1.2.0.1"
    package static let hpkiAuthenticationAuthorityPolicy = "1.2.392.100495.1.5.1.2.3.1"

    /// Of the My Number card's certificate for logging in (公的個人認証サービス, 利用者証明用電子証明書).
    package static let jpkiAuthenticationPolicy = "1.2.392.200149.8.5.1.3.30"
}

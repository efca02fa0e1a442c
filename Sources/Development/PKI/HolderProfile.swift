package import HPKI

/// What a development authority writes into a holder's certificate.
package struct HolderProfile: Sendable, Hashable {
    /// The holder's name in Latin letters (`commonName`).
    package var romajiName: String
    /// The holder's name in Japanese (`commonName` of subjectAltName's directoryName).
    package var japaneseName: String
    /// The authority's identifier of the holder (`serialNumber` of the subject), letters, digits and hyphens.
    package var identifier: String
    /// The roles of hcRole; none makes a certificate without SubjectDirectoryAttributes.
    package var roles: [HCRole]
    /// The organisation in Latin letters, where the certificate is to name one.
    package var organization: String?
    /// `Director` for those who certify as head of an organisation.
    package var organizationalUnit: String?
    /// The organisation in Japanese.
    package var japaneseOrganization: String?

    /// A holder as the authority knows them.
    package init(
        romajiName: String, japaneseName: String, identifier: String, roles: [HCRole], organization: String? = nil,
        organizationalUnit: String? = nil, japaneseOrganization: String? = nil
    ) {
        self.romajiName = romajiName
        self.japaneseName = japaneseName
        self.identifier = identifier
        self.roles = roles
        self.organization = organization
        self.organizationalUnit = organizationalUnit
        self.japaneseOrganization = japaneseOrganization
    }
}

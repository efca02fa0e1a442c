package import Certificates
package import HPKI

/// Encoded extensions as the HPKI authorities write them (RFC 5280 §4.2).
package enum Extensions {
    /// An extension that is not critical.
    package static func plain(_ oid: String, _ value: [UInt8]) -> [UInt8] {
        DER.sequence(DER.objectIdentifier(oid), DER.octetString(value))
    }

    /// A critical extension.
    package static func critical(_ oid: String, _ value: [UInt8]) -> [UInt8] {
        DER.sequence(DER.objectIdentifier(oid), DER.boolean(true), DER.octetString(value))
    }

    /// The issuer's key identifier, and the name of the issuer's issuer with the serial number it gave.
    package static func authorityKeyIdentifier(of issuer: HPKICertificate) -> [UInt8] {
        authorityKeyIdentifier(
            issuer.publicKey.keyIdentifier, issuer: issuer.issuer.der, serialNumber: issuer.serialNumber)
    }

    /// See `authorityKeyIdentifier(of:)`; for a root, which must name itself before it exists.
    package static func authorityKeyIdentifier(
        _ identifier: [UInt8], issuer: [UInt8], serialNumber: [UInt8]
    ) -> [UInt8] {
        plain(
            OID.authorityKeyIdentifier,
            DER.sequence(
                DER.value(.contextPrimitive(0), identifier),
                DER.explicit(1, directoryName(issuer)),
                DER.value(.contextPrimitive(2), serialNumber)))
    }

    /// The identifier of the subject's own key.
    package static func subjectKeyIdentifier(_ identifier: [UInt8]) -> [UInt8] {
        plain(OID.subjectKeyIdentifier, DER.octetString(identifier))
    }

    /// What the key may be used for, critical.
    package static func keyUsage(_ usage: KeyUsage) -> [UInt8] { critical(OID.keyUsage, usage.der) }

    /// An authority's basicConstraints, critical.
    package static func authority(pathLength: UInt64? = nil) -> [UInt8] {
        critical(
            OID.basicConstraints,
            DER.sequence(of: [DER.boolean(true)] + (pathLength.map { [DER.integer($0)] } ?? [])))
    }

    /// A second name of the subject, in Japanese.
    package static func subjectAltName(directoryName name: [UInt8]) -> [UInt8] {
        plain(OID.subjectAltName, DER.sequence(directoryName(name)))
    }

    /// Where the CRL is: by name in a directory, where one is given, and by address.
    package static func distributionPoints(directoryName name: [UInt8]? = nil, uri: String) -> [UInt8] {
        let places = (name.map { [directoryName($0)] } ?? []) + [DER.value(.contextPrimitive(6), Array(uri.utf8))]
        let points = places.map { DER.sequence(DER.explicit(0, DER.explicit(0, $0))) }
        return plain(OID.cRLDistributionPoints, DER.sequence(of: points))
    }

    /// The holder's professions.
    package static func roles(_ roles: [HCRole]) -> [UInt8] {
        plain(OID.subjectDirectoryAttributes, HCRoleEncoding.encode(roles))
    }

    /// One policy with the address of its practice statement, critical.
    package static func policy(_ oid: String, statement: String) -> [UInt8] {
        critical(
            OID.certificatePolicies,
            DER.sequence(
                DER.sequence(
                    DER.objectIdentifier(oid),
                    DER.sequence(DER.sequence(DER.objectIdentifier(OID.cPSQualifier), DER.ia5String(statement))))))
    }

    /// A CRL's number.
    package static func crlNumber(_ number: UInt64) -> [UInt8] { plain(OID.cRLNumber, DER.integer(number)) }

    /// A CRL's scope "authorities' certificates only", critical, with its name in a directory.
    package static func onlyContainsCACerts(directoryName name: [UInt8]) -> [UInt8] {
        critical(
            OID.issuingDistributionPoint,
            DER.sequence(
                DER.explicit(0, DER.explicit(0, directoryName(name))), DER.value(.contextPrimitive(2), [0xFF])))
    }

    /// A Name as a GeneralName.
    private static func directoryName(_ name: [UInt8]) -> [UInt8] { DER.explicit(4, name) }
}

/// Names in DER: the country and serialNumber as PrintableString, the rest as UTF8String.
enum NameEncoding {
    static func encode(_ attributes: [(oid: String, value: String)]) -> [UInt8] {
        DER.sequence(
            of: attributes.map { attribute in
                let isPrintable = attribute.oid == OID.countryName || attribute.oid == OID.serialNumber
                let value = isPrintable ? DER.printableString(attribute.value) : DER.utf8String(attribute.value)
                return DER.set(of: [DER.sequence(DER.objectIdentifier(attribute.oid), value)])
            })
    }
}

internal import Formats
internal import HPKI
internal import XML

/// What was added to a signature after it was made (ETSI EN 319 132-1 §5.3 to §5.5): nothing signs it but time stamps.
struct UnsignedProperties {
    private static let timeStampLimit = 16
    private static let certificateLimit = 64
    private static let revocationLimit = 32

    /// One EncapsulatedTimeStamp and the property that holds it.
    struct TimeStamp {
        let kind: TimeStampReport.Kind
        /// The place of the property among `properties`.
        let place: Int
        /// Nil for inclusive Canonical XML 1.0, which holds where none is named.
        let method: CanonicalizationChoice
        let token: [UInt8]
    }

    /// The children of UnsignedSignatureProperties, in order.
    private(set) var properties: [XMLElement] = []
    private(set) var timeStamps: [TimeStamp] = []
    /// For the signer's certificate.
    private(set) var material = ValidationMaterial()
    /// For time stamps' certificates.
    private(set) var timeStampMaterial = ValidationMaterial()
    /// The place among `properties` at which each certificate (DER) stands first.
    private(set) var certificatePlaces: [[UInt8]: Int] = [:]
    /// Names of properties, and of parts of them, that are not understood here.
    private(set) var notExamined: [String] = []

    /// Reads `UnsignedProperties`; a signature without it has none.
    init(in element: XMLElement?) throws(Finding) {
        for group in element?.children ?? [] {
            guard group.isNamed("UnsignedSignatureProperties", Namespaces.xades) else {
                notExamined += group.hasElementChildren ? group.children.map(\.localName) : [group.localName]
                continue
            }
            // Two groups would leave it open which properties stand before a time stamp.
            guard properties.isEmpty else {
                throw .format("properties-structure", "The unsigned properties are not as XAdES has them.")
            }
            properties = group.children
        }
        for (place, property) in properties.enumerated() { try read(property, at: place) }
    }

    private mutating func read(_ property: XMLElement, at place: Int) throws(Finding) {
        if property.isNamed("SignatureTimeStamp", Namespaces.xades) {
            try readTimeStamp(property, .signature, at: place)
        } else if property.isNamed("ArchiveTimeStamp", Namespaces.xades141) {
            try readTimeStamp(property, .archive, at: place)
        } else if property.isNamed("CertificateValues", Namespaces.xades) {
            try readCertificates(property, into: \.material, at: place)
        } else if property.isNamed("RevocationValues", Namespaces.xades) {
            try readRevocation(property, into: \.material)
        } else if property.isNamed("TimeStampValidationData", Namespaces.xades141) {
            for part in property.children {
                if part.isNamed("CertificateValues", Namespaces.xades) {
                    try readCertificates(part, into: \.timeStampMaterial, at: place)
                } else if part.isNamed("RevocationValues", Namespaces.xades) {
                    try readRevocation(part, into: \.timeStampMaterial)
                } else {
                    notExamined.append(part.localName)
                }
            }
        } else {
            notExamined.append(property.localName)
        }
    }

    private mutating func readTimeStamp(
        _ property: XMLElement, _ kind: TimeStampReport.Kind, at place: Int
    ) throws(Finding) {
        var method = CanonicalizationChoice.implied
        for part in property.children {
            if part.isNamed("CanonicalizationMethod", Namespaces.ds) {
                method = try CanonicalizationChoice(part)
            } else if part.isNamed("EncapsulatedTimeStamp", Namespaces.xades) {
                guard timeStamps.count < Self.timeStampLimit else {
                    throw .format("too-many-time-stamps", "A signature has at most 16 time stamps.")
                }
                timeStamps.append(
                    TimeStamp(kind: kind, place: place, method: method, token: Self.octets(part) ?? []))
            } else {
                // Include, and time stamps in XML.
                notExamined.append(part.localName)
            }
        }
    }

    private mutating func readCertificates(
        _ values: XMLElement, into material: WritableKeyPath<Self, ValidationMaterial>, at place: Int
    ) throws(Finding) {
        for value in values.children {
            guard value.isNamed("EncapsulatedX509Certificate", Namespaces.xades), let der = Self.octets(value) else {
                notExamined.append(value.localName)
                continue
            }
            self[keyPath: material].certificates.append(der)
            certificatePlaces[der] = min(certificatePlaces[der] ?? place, place)
        }
        try limit(self[keyPath: material].certificates.count, Self.certificateLimit)
    }

    private mutating func readRevocation(
        _ values: XMLElement, into material: WritableKeyPath<Self, ValidationMaterial>
    ) throws(Finding) {
        for group in values.children {
            for value in group.children {
                if group.isNamed("CRLValues", Namespaces.xades),
                    value.isNamed("EncapsulatedCRLValue", Namespaces.xades), let der = Self.octets(value)
                {
                    self[keyPath: material].crls.append(der)
                } else if group.isNamed("OCSPValues", Namespaces.xades),
                    value.isNamed("EncapsulatedOCSPValue", Namespaces.xades), let der = Self.octets(value)
                {
                    self[keyPath: material].ocspResponses.append(der)
                } else {
                    notExamined.append(value.localName)
                }
            }
        }
        try limit(self[keyPath: material].crls.count, Self.revocationLimit)
        try limit(self[keyPath: material].ocspResponses.count, Self.revocationLimit)
    }

    private func limit(_ count: Int, _ limit: Int) throws(Finding) {
        guard count <= limit else {
            throw .format("too-much-material", "The signature holds more certificates or lists than are read.")
        }
    }

    /// The octets of an EncapsulatedPKIDataType in DER; nil for another encoding, or none.
    private static func octets(_ element: XMLElement) -> [UInt8]? {
        if let encoding = element.attribute("Encoding"), encoding != "http://uri.etsi.org/01903/v1.2.2#DER" {
            return nil
        }
        return element.hasElementChildren ? nil : Base64.decodeIgnoringWhiteSpace(element.textBytes)
    }
}

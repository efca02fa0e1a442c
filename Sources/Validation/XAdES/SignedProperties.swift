internal import Formats
internal import HPKI
internal import XML

/// What the signer signed about the signature itself (ETSI EN 319 132-1 §4.3, §5.2).
struct SignedProperties {
    let element: XMLElement
    let signingTime: Instant?
    /// The digest of the signing certificate: the first `Cert`; nil where the properties do not name it.
    let certificate: DigestPair?
    /// Names of signed properties whose meaning is not understood here.
    let notUnderstood: [String]
    let unsigned: UnsignedProperties

    private static let understood = [
        "SigningTime", "SigningCertificate", "SigningCertificateV2", "SignatureProductionPlace",
        "SignatureProductionPlaceV2", "SignerRole", "SignerRoleV2",
    ]

    /// Reads `QualifyingProperties` in `object`, which must say that they are about `signature`.
    init(
        in object: XMLElement, of signature: XMLElement, _ structure: SignatureStructure
    ) throws(Finding) {
        let qualifying = try object.only("QualifyingProperties", Namespaces.xades)
        guard object.children.count == 1, let id = signature.attribute("Id"), !id.isEmpty,
            qualifying.attribute("Target") == "#" + id, signature.document.element(id: id) == signature
        else { throw .format("properties-target", "The qualifying properties are not about this signature.") }
        element = try qualifying.only("SignedProperties", Namespaces.xades)
        let parts = qualifying.children
        guard parts.first == element, parts.count == 1 || parts.count == 2,
            parts.count == 1 || parts[1].isNamed("UnsignedProperties", Namespaces.xades)
        else { throw .format("properties-structure", "The qualifying properties are not as XAdES has them.") }
        let about = try element.only("SignedSignatureProperties", Namespaces.xades)
        signingTime = try Self.time(in: about)
        certificate = try Self.certificate(in: about, structure)
        notUnderstood =
            element.children.filter { $0 != about && !(structure == .any && $0.isOnlyOfFormats) }.map(\.localName)
            + about.children.filter { child in
                !Self.understood.contains { child.isNamed($0, Namespaces.xades) }
            }.map(\.localName)
        unsigned = try UnsignedProperties(in: parts.count == 2 ? parts[1] : nil)
    }

    private static func time(in about: XMLElement) throws(Finding) -> Instant? {
        let found = about.children("SigningTime", Namespaces.xades)
        guard let first = found.first else { return nil }
        guard found.count == 1, let time = XMLDateTime.read(first.text) else {
            throw .format("signing-time", "SigningTime is not a date and time with its zone.")
        }
        return time
    }

    private static func certificate(
        in about: XMLElement, _ structure: SignatureStructure
    ) throws(Finding) -> DigestPair? {
        let all =
            about.children("SigningCertificateV2", Namespaces.xades)
            + about.children("SigningCertificate", Namespaces.xades)
        if all.isEmpty, structure == .any { return nil }
        guard all.count == 1, let first = all[0].firstChild("Cert", Namespaces.xades) else {
            throw .format("no-signing-certificate-property", "The properties do not name one signing certificate.")
        }
        return try DigestPair(try first.only("CertDigest", Namespaces.xades).children, Namespaces.ds)
    }
}

extension XMLElement {
    /// Whether this is `SignedDataObjectProperties` that say of what type the data are and nothing else.
    fileprivate var isOnlyOfFormats: Bool {
        isNamed("SignedDataObjectProperties", Namespaces.xades)
            && children.allSatisfy { $0.isNamed("DataObjectFormat", Namespaces.xades) }
    }
}

/// `xs:dateTime` with a zone (XML Schema Part 2 §3.2.7); fractions of a second are cut off.
enum XMLDateTime {
    static func read(_ text: String) -> Instant? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 40, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x54,
            bytes[13] == 0x3A, bytes[16] == 0x3A,
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
            let local = Instant(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        else { return nil }
        var rest = bytes[19...]
        if rest.first == 0x2E {
            let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty else { return nil }
            rest = rest.dropFirst(1 + digits.count)
        }
        guard let shift = zone(Array(rest)) else { return nil }
        return local.adding(seconds: -shift)
    }

    private static func zone(_ bytes: [UInt8]) -> Int64? {
        if bytes == [0x5A] { return 0 }
        guard bytes.count == 6, bytes[0] == 0x2B || bytes[0] == 0x2D, bytes[3] == 0x3A,
            let hours = number(bytes[1..<3]), let minutes = number(bytes[4..<6]), hours <= 14, minutes <= 59
        else { return nil }
        let seconds = Int64(hours * 3600 + minutes * 60)
        return bytes[0] == 0x2B ? seconds : -seconds
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.allSatisfy { (0x30...0x39).contains($0) } ? digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } : nil
    }
}

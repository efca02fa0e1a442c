import Certificates
import Development
import Formats
import Foundation
import HPKI
import Testing
import Validation
import XML

/// Adds time stamps and validation data to signed documents by hand, as the management service does behind the signer.
struct TimeStamping {
    static let xades141 = "http://uri.etsi.org/01903/v1.4.1#"
    static let random = Random { Array(repeating: 7, count: $0) }

    var pki: DevelopmentPKI
    var authority: DevelopmentTimeStampAuthority

    init(_ pki: DevelopmentPKI, now: Instant = World.now) throws {
        self.pki = pki
        authority = try pki.timeStampAuthority(now: now)
    }

    /// A token over `octets` as this authority makes it.
    func token(over octets: [UInt8], at time: Instant, by key: DevelopmentKey? = nil) throws -> [UInt8] {
        try token(of: Digest(of: octets), at: time, by: key)
    }

    func token(of imprint: Digest, at time: Instant, by key: DevelopmentKey? = nil) throws -> [UInt8] {
        let info = authority.info(imprint: imprint, nonce: nil, random: Self.random, now: time)
        return try TimeStampTokenTemplate(info: info, certificate: authority.certificate)
            .signed(by: key ?? authority.key)
    }

    /// Every list of signers' authorities as of `time`, in DER.
    func lists(at time: Instant) throws -> [[UInt8]] {
        var pki = pki
        return try pki.crls(now: time).sorted { $0.key < $1.key }.map(\.value)
    }

    func list(at time: Instant) throws -> [UInt8] {
        var authority = authority
        return try authority.crl(now: time)
    }

    /// Trust in this authority, with its lists as of `time`, and in `others` likewise.
    func trust(at time: Instant, with others: [TimeStamping] = []) throws -> TimeStampTrust {
        let all = [self] + others
        let trust = TrustStore(
            anchors: [pki.root], intermediates: all.map(\.authority.authorityCertificate))
        var crls = CRLStore()
        for list in try lists(at: time) + all.map({ try $0.list(at: time) }) {
            crls = (try? crls.adding(list, issuers: trust.anchors + trust.intermediates)) ?? crls
        }
        return TimeStampTrust(trust: trust, crls: crls)
    }

    /// A validator that trusts signers and this authority, with the lists of `time`.
    func validator(at time: Instant, with others: [TimeStamping] = [], lists: Bool = true) throws -> SignatureValidator
    {
        var crls = CRLStore()
        for list in lists ? try self.lists(at: time) : [] {
            crls = try crls.adding(list, issuers: pki.trustStore.anchors + pki.trustStore.intermediates)
        }
        return SignatureValidator(
            trust: pki.trustStore, crls: crls, timeStamps: try trust(at: time, with: others))
    }

    // MARK: Properties

    static func signatureTimeStamp(_ token: [UInt8]) -> String {
        "<xa:SignatureTimeStamp><xa:EncapsulatedTimeStamp>\(Base64.encode(token))</xa:EncapsulatedTimeStamp>"
            + "</xa:SignatureTimeStamp>"
    }

    static func archiveTimeStamp(_ token: [UInt8]) -> String {
        "<x141:ArchiveTimeStamp xmlns:x141=\"\(xades141)\"><xa:EncapsulatedTimeStamp>\(Base64.encode(token))"
            + "</xa:EncapsulatedTimeStamp></x141:ArchiveTimeStamp>"
    }

    static func revocationValues(crls: [[UInt8]] = [], ocsp: [[UInt8]] = []) -> String {
        "<xa:RevocationValues><xa:CRLValues>"
            + crls.map { "<xa:EncapsulatedCRLValue>\(Base64.encode($0))</xa:EncapsulatedCRLValue>" }.joined()
            + "</xa:CRLValues><xa:OCSPValues>"
            + ocsp.map { "<xa:EncapsulatedOCSPValue>\(Base64.encode($0))</xa:EncapsulatedOCSPValue>" }.joined()
            + "</xa:OCSPValues></xa:RevocationValues>"
    }

    static func certificateValues(_ certificates: [HPKICertificate]) -> String {
        "<xa:CertificateValues>"
            + certificates.map {
                "<xa:EncapsulatedX509Certificate>\(Base64.encode($0.der))</xa:EncapsulatedX509Certificate>"
            }.joined() + "</xa:CertificateValues>"
    }

    static func timeStampData(crls: [[UInt8]]) -> String {
        "<x141:TimeStampValidationData xmlns:x141=\"\(xades141)\">\(revocationValues(crls: crls))"
            + "</x141:TimeStampValidationData>"
    }

    /// `document` with the properties behind those that its last signature has already.
    static func adding(_ properties: String, to document: [UInt8]) -> [UInt8] {
        let end = "</xa:UnsignedSignatureProperties></xa:UnsignedProperties>"
        let signed = "</xa:SignedProperties></xa:QualifyingProperties>"
        let text = document.text
        let last = text.range(of: "</xa:QualifyingProperties>", options: .backwards)?.lowerBound ?? text.endIndex
        if text[..<last].hasSuffix(end) {
            let place = text.index(last, offsetBy: -end.count)
            return Array((text[..<place] + properties + text[place...]).utf8)
        }
        let place = text.range(of: signed, options: .backwards)?.lowerBound ?? text.endIndex
        let behind = text.index(place, offsetBy: "</xa:SignedProperties>".count)
        return Array(
            (text[..<behind] + "<xa:UnsignedProperties><xa:UnsignedSignatureProperties>" + properties + end
                + text[behind...]).utf8)
    }

    /// What a signature time stamp of the last signature is of.
    static func signatureOctets(_ document: [UInt8]) throws -> [UInt8] {
        let read = try XMLDocument(parsing: document)
        let value = try #require(read.root.descendants.last { $0.localName == "SignatureValue" })
        return Canonicalization.inclusive10.canonicalize(value)
    }

    /// What an archive time stamp put behind everything that the last signature has now is of.
    static func archiveOctets(_ document: [UInt8]) throws -> [UInt8] {
        let read = try XMLDocument(parsing: document)
        let signature = try #require(read.root.descendants.last { $0.localName == "Signature" })
        let parts = signature.descendants
        func part(_ name: String) throws -> XMLElement { try #require(parts.first { $0.localName == name }) }
        var octets: [UInt8] = []
        for reference in parts where reference.localName == "Reference" {
            let id = try #require(reference.attribute("URI")?.dropFirst())
            let target = try #require(read.element(id: String(id)))
            let method: Canonicalization =
                reference.firstChild("Transforms", Namespaces.ds) == nil ? .inclusive10 : .exclusive10
            octets += method.canonicalize(target)
        }
        for name in ["SignedInfo", "SignatureValue", "KeyInfo"] {
            octets += Canonicalization.inclusive10.canonicalize(try part(name))
        }
        for property in try part("UnsignedSignatureProperties").children {
            octets += Canonicalization.inclusive10.canonicalize(property)
        }
        return octets
    }

    /// `document` with a signature time stamp of `time` on its last signature.
    func stamped(_ document: [UInt8], at time: Instant) throws -> [UInt8] {
        Self.adding(
            Self.signatureTimeStamp(try token(over: try Self.signatureOctets(document), at: time)), to: document)
    }

    func archived(_ document: [UInt8], at time: Instant, by function: DigestAlgorithm = .sha256) throws -> [UInt8] {
        let imprint = Digest(of: try Self.archiveOctets(document), by: function)
        return Self.adding(Self.archiveTimeStamp(try token(of: imprint, at: time)), to: document)
    }
}

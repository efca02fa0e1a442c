package import HPKI

/// A signed answer of an OCSP responder, read strictly from its DER (RFC 6960 §4.2.1).
///
/// Reading says nothing about trust: `verify` judges.
package struct OCSPResponse: Sendable {
    /// The most bytes a response may have.
    package static let byteLimit = 1 << 20
    private static let answerLimit = 256
    private static let certificateLimit = 16

    /// What is said of a certificate.
    package enum Status: Sendable, Hashable {
        case good
        case revoked(at: Instant, reason: RevocationReason?)
        /// The responder does not know the certificate.
        case unknown
    }

    /// What is said of one certificate, and for how long it holds.
    package struct Answer: Sendable, Hashable {
        package let certificate: OCSPCertificateID
        package let status: Status
        package let thisUpdate: Instant
        package let nextUpdate: Instant?
    }

    /// Who signed.
    enum Responder: Sendable, Hashable {
        case name(DistinguishedName)
        /// SHA-1 of the responder's key.
        case key([UInt8])
    }

    /// The bytes as they were given.
    package let der: [UInt8]
    package let producedAt: Instant
    package let answers: [Answer]
    /// The octets of the nonce extension's value, without their OCTET STRING where they have one.
    package let nonce: [UInt8]?
    /// Certificates that came along and can be read.
    package let certificates: [HPKICertificate]
    let responder: Responder
    let frame: SignedStructure

    /// Reads one response; throws `.tooLarge`, `.malformed`, `.notSuccessful`, `.unsupportedType` or
    /// `.unknownCriticalExtension`.
    package init(der: [UInt8]) throws(OCSPError) {
        guard der.count <= Self.byteLimit else { throw .tooLarge }
        let basic = try Self.basicResponse(der[...])
        var extensions: [ExtensionValue] = []
        do throws(DERError) {
            var outer = try DERReader.whole(basic).children
            frame = try SignedStructure(reading: &outer)
            certificates = try Self.readCertificates(outer.enterOptional(.context(0)))
            try outer.end()
            var fields = try DERReader.whole(frame.toBeSigned).children
            // Version 1 is the default, which DER leaves out, and the only one.
            responder = try Self.readResponder(try fields.next())
            producedAt = try fields.next(.generalizedTime).time()
            var list = try fields.enter()
            var answers: [Answer] = []
            while !list.isAtEnd {
                guard answers.count < Self.answerLimit else { throw .tooMany }
                var single = try list.enter()
                answers.append(try Self.readAnswer(&single, &extensions))
            }
            self.answers = answers
            if var more = try fields.enterOptional(.context(1)) {
                extensions += try ExtensionValue.readList(&more, atMost: 16)
                try more.end()
            }
            try fields.end()
        } catch {
            throw .malformed(error, field: "BasicOCSPResponse")
        }
        let nonces = extensions.filter { $0.oid == OID.ocspNonce }
        if let unknown = extensions.first(where: { $0.isCritical && $0.oid != OID.ocspNonce }) {
            throw .unknownCriticalExtension(unknown.oid)
        }
        guard nonces.count <= 1 else { throw .malformed(.tooMany, field: "nonce") }
        // Early responders left the OCTET STRING out.
        nonce = nonces.first.map { Array((try? DERReader.whole($0.value, .octetString).contents) ?? $0.value) }
        self.der = der
    }

    private static func basicResponse(_ der: ArraySlice<UInt8>) throws(OCSPError) -> ArraySlice<UInt8> {
        let status: Int
        var type: String?
        var basic: ArraySlice<UInt8> = []
        do throws(DERError) {
            var fields = try DERReader.whole(der).children
            status = try fields.next(.enumerated).smallInteger()
            if var bytes = try fields.enterOptional(.context(0)) {
                var response = try bytes.enter()
                type = try response.next(.objectIdentifier).objectIdentifier()
                basic = try response.next(.octetString).contents
                try response.end()
                try bytes.end()
            }
            try fields.end()
            guard (status == 0) == (type != nil) else { throw .invalidValue }
        } catch {
            throw .malformed(error, field: "OCSPResponse")
        }
        guard let type else { throw .notSuccessful(status: status) }
        guard type == OID.ocspBasic else { throw .unsupportedType(type) }
        return basic
    }

    private static func readCertificates(_ explicit: DERReader?) throws(DERError) -> [HPKICertificate] {
        guard var explicit else { return [] }
        var list = try explicit.enter()
        try explicit.end()
        var found: [HPKICertificate] = []
        var count = 0
        while !list.isAtEnd {
            guard count < certificateLimit else { throw .tooMany }
            count += 1
            // Certificates of kinds not used here may come along.
            if let certificate = try? HPKICertificate(der: Array(list.next(.sequence).encoded)) {
                found.append(certificate)
            }
        }
        return found
    }

    private static func readResponder(_ element: DERElement) throws(DERError) -> Responder {
        switch element.tag {
        case .context(1): return .name(try DistinguishedName(der: element.contents))
        case .context(2):
            let key = try DERReader.whole(element.contents, .octetString).contents
            guard key.count == 20 else { throw .invalidValue }
            return .key(Array(key))
        default: throw .unexpectedTag
        }
    }

    private static func readAnswer(
        _ fields: inout DERReader, _ extensions: inout [ExtensionValue]
    ) throws(DERError) -> Answer {
        var name = try fields.enter()
        let certificate = try OCSPCertificateID(&name)
        let status = try readStatus(try fields.next())
        let thisUpdate = try fields.next(.generalizedTime).time()
        var nextUpdate: Instant?
        if var next = try fields.enterOptional(.context(0)) {
            nextUpdate = try next.next(.generalizedTime).time()
            try next.end()
        }
        if var more = try fields.enterOptional(.context(1)) {
            extensions += try ExtensionValue.readList(&more, atMost: 16)
            try more.end()
        }
        try fields.end()
        return Answer(certificate: certificate, status: status, thisUpdate: thisUpdate, nextUpdate: nextUpdate)
    }

    private static func readStatus(_ element: DERElement) throws(DERError) -> Status {
        switch element.tag {
        case .contextPrimitive(0), .contextPrimitive(2):
            guard element.contents.isEmpty else { throw .invalidValue }
            return element.tag == .contextPrimitive(0) ? .good : .unknown
        case .context(1):
            var fields = element.children
            let date = try fields.next(.generalizedTime).time()
            var reason: RevocationReason?
            if var explicit = try fields.enterOptional(.context(0)) {
                let code = try explicit.next(.enumerated).smallInteger()
                try explicit.end()
                reason = UInt8(exactly: code).flatMap(RevocationReason.init(rawValue:))
                guard reason != nil else { throw .invalidValue }
            }
            try fields.end()
            return .revoked(at: date, reason: reason)
        default: throw .unexpectedTag
        }
    }
}

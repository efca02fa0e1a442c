/// An authority's answer to a request, read strictly from its DER (RFC 3161 §2.4.2, TimeStampResp).
package struct TimeStampResponse: Sendable {
    /// The token, still to be judged for what the request expects.
    package let token: TimeStampToken
    /// True where the authority says that it deviates from the request; judging finds whether it matters.
    package let isModified: Bool

    /// Reads one response; throws `.notGranted` with the authority's reasons, or why the bytes are no response.
    package init(der: [UInt8]) throws(TimeStampFault) {
        // A little more than a token, for the status.
        guard der.count <= TimeStampToken.byteLimit + 4096 else { throw .tooLarge }
        let refusal: TimeStampRefusal
        let token: ArraySlice<UInt8>?
        do throws(DERError) {
            var fields = try DERReader.whole(der[...]).children
            var status = try fields.enter()
            refusal = try TimeStampRefusal(&status)
            token = try fields.optional(.sequence)?.encoded
            try fields.end()
            // A token exactly where it is granted.
            guard refusal.isGranted == (token != nil) else { throw .invalidValue }
        } catch {
            throw .malformed(error, field: "TimeStampResp")
        }
        guard let token else { throw .notGranted(refusal) }
        self.token = try TimeStampToken(der: Array(token))
        isModified = refusal.status == 1
    }
}

/// Why an authority gave no time stamp (RFC 3161 §2.4.2, PKIStatusInfo).
package struct TimeStampRefusal: Sendable, Hashable {
    /// 2 rejection, 3 waiting, 4 revocationWarning, 5 revocationNotification.
    package let status: Int
    /// The names of PKIFailureInfo's bits that are set.
    package let failures: [String]
    /// The authority's own words, without control characters, at most 200 characters; not to be trusted.
    package let text: String

    /// One sentence in plain words.
    package var explanation: String {
        "The time-stamping authority gave no time stamp (status \(status)"
            + failures.map { ", \($0)" }.joined() + ")" + (text.isEmpty ? "." : ": \(text)")
    }

    fileprivate var isGranted: Bool { status <= 1 }

    /// Reads one PKIStatusInfo.
    fileprivate init(_ fields: inout DERReader) throws(DERError) {
        status = try fields.next(.integer).smallInteger()
        guard status <= 5 else { throw .invalidValue }
        var words: [String] = []
        if var list = try fields.enterOptional(.sequence) {
            repeat {
                guard words.count < 16 else { throw .tooMany }
                words.append(try list.next(.utf8String).text())
            } while !list.isAtEnd
        }
        let plain = words.joined(separator: " ").unicodeScalars.filter { $0.properties.generalCategory != .control }
        text = String(String(String.UnicodeScalarView(plain)).prefix(200))
        failures = try fields.optional(.bitString).map(Self.readFailures) ?? []
        try fields.end()
    }

    private static func readFailures(_ element: DERElement) throws(DERError) -> [String] {
        let (unused, octets) = try element.bitString()
        guard octets.count <= 4 else { throw .invalidValue }
        let names = [
            0: "badAlg", 2: "badRequest", 5: "badDataFormat", 14: "timeNotAvailable", 15: "unacceptedPolicy",
            16: "unacceptedExtension", 17: "addInfoNotAvailable", 25: "systemFailure",
        ]
        let bits = Array(octets)
        return (0..<bits.count * 8 - unused).filter { bits[$0 / 8] & (0x80 >> ($0 % 8)) != 0 }
            .map { names[$0] ?? "failure \($0)" }
    }
}

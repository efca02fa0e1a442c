import Certificates
package import HPKI

extension DevelopmentTimeStampAuthority {
    /// The answer to a request, both in DER: a time stamp of `now`, or a refusal with its reason (RFC 3161 §2.4).
    package func answer(_ request: [UInt8], random: Random, now: Instant) -> [UInt8] {
        do throws(TimeStampQuery.Failure) {
            let query = try TimeStampQuery(der: request)
            guard query.policy == nil || query.policy == Self.policy else { throw .unacceptedPolicy }
            var template = TimeStampTokenTemplate(
                info: info(imprint: query.imprint, nonce: query.nonce, random: random, now: now),
                certificate: certificate)
            if !query.wantsCertificate { template.certificates = [] }
            guard let token = try? template.signed(by: key) else { throw .systemFailure }
            return DER.sequence(DER.sequence(DER.integer(0)), token)
        } catch {
            return Self.refusal(error)
        }
    }

    /// TSTInfo in DER as this authority states it, with `nonce` the contents octets of an INTEGER.
    package func info(imprint: Digest, nonce: [UInt8]?, random: Random, now: Instant) -> [UInt8] {
        DER.sequence(
            of: [
                DER.integer(1), DER.objectIdentifier(Self.policy), imprint.messageImprint,
                DER.integer(DevelopmentPKI.randomSerial(random)), Self.time(now),
                DER.sequence(DER.integer(Self.accuracySeconds)),
            ]
                + (nonce.map { [DER.value(.integer, $0)] } ?? [])
                + [DER.explicit(0, DER.explicit(4, certificate.subject.der))])
    }

    /// A GeneralizedTime with as many digits of the milliseconds as are not zero at the end (X.690 §11.7).
    private static func time(_ instant: Instant) -> [UInt8] {
        let second = instant.wholeSecond
        let digits = (second.rfc3339 ?? "9999-12-31T23:59:59Z").filter(\.isWholeNumber)
        var fraction = "\(1000 + instant.milliseconds - second.milliseconds)".dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        let text = digits + (fraction.isEmpty ? "" : ".\(fraction)") + "Z"
        return DER.value(.generalizedTime, Array(text.utf8))
    }

    /// A PKIStatusInfo that rejects, with the one bit of its failure; a named bit list ends with its last set bit.
    private static func refusal(_ failure: TimeStampQuery.Failure) -> [UInt8] {
        let bit = failure.rawValue
        let octets = [UInt8](repeating: 0, count: Int(bit / 8)) + [0x80 >> (bit % 8)]
        return DER.sequence(
            DER.sequence(
                DER.integer(2), DER.sequence(DER.utf8String("\(failure)")),
                DER.value(.bitString, [7 - bit % 8] + octets)))
    }
}

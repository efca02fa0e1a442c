internal import Certificates
internal import Formats
internal import HPKI
internal import XML

extension XAdESCheck {
    /// What the process of validation needs of this signature.
    var checked: CheckedSignature {
        let unsigned = signature.properties?.unsigned
        var material = unsigned?.material ?? ValidationMaterial()
        let others = signature.certificates.compactMap(ReadCertificates.certificate).filter { $0 != certificate }
        material.certificates.removeAll { $0 == certificate.der }
        return CheckedSignature(
            certificate: certificate, others: others, covered: covered,
            claimedSigningTime: signature.properties?.signingTime, scheme: scheme, digests: digests,
            timeStamps: (unsigned?.timeStamps ?? []).map { stamp in
                // Several tokens of one property are over what stands before it, not over each other.
                let covered = (unsigned?.timeStamps ?? []).filter { $0.place < stamp.place }.map(\.token)
                let certificates = stamp.kind == .archive ? certificates(under: stamp) : []
                return CheckedSignature.TimeStamp(
                    kind: stamp.kind, token: stamp.token, covered: Set(covered), certificates: certificates,
                    octets: { octets(under: stamp) })
            },
            material: material, timeStampMaterial: unsigned?.timeStampMaterial ?? ValidationMaterial(),
            notExamined: unsigned?.notExamined ?? [], findings: findings, budget: budget)
    }

    /// Those of KeyInfo and of the properties before an archive time stamp.
    private func certificates(under stamp: UnsignedProperties.TimeStamp) -> Set<[UInt8]> {
        let kept = signature.properties?.unsigned.certificatePlaces.filter { $0.value < stamp.place } ?? [:]
        return Set(kept.keys).union(signature.certificates)
    }

    /// What an archive time stamp that is added now would be over.
    var nextArchiveOctets: [UInt8]? {
        octets(
            under: UnsignedProperties.TimeStamp(
                kind: .archive, place: signature.properties?.unsigned.properties.count ?? 0, method: .exclusive,
                token: []))
    }

    /// What a time stamp of the signature is of; nil where data that it covers are not at hand.
    ///
    /// SignatureTimeStamp: ETSI EN 319 132-1 §5.3; ArchiveTimeStamp: §5.5.2.
    private func octets(under stamp: UnsignedProperties.TimeStamp) -> [UInt8]? {
        let method = stamp.method
        guard stamp.kind == .archive else { return method.canonicalize(signature.valueElement) }
        var octets: [UInt8] = []
        for (reference, target) in zip(signature.references, targets) {
            guard (try? budget.take(octets: target.inputByteCount)) != nil,
                let part = try? target.octets(by: reference, in: signature.element, implied: method),
                (try? budget.take(octets: part.count)) != nil
            else { return nil }
            octets += part
        }
        octets += method.canonicalize(signature.signedInfo) + method.canonicalize(signature.valueElement)
        if let keyInfo = signature.keyInfo { octets += method.canonicalize(keyInfo) }
        for property in signature.properties?.unsigned.properties.prefix(stamp.place) ?? [] {
            octets += method.canonicalize(property)
        }
        for object in signature.objects
        where !targets.contains(.element(object)) && signature.properties?.element.isInside(object) != true {
            octets += method.canonicalize(object)
        }
        return octets
    }
}

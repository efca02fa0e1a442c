import Certificates
import Formats
import HPKI
import Validation
import XML

/// Signatures as callers send them to be raised: level by level, with a time stamp of the corpora turned to each imprint.
///
/// What was signed must stay as it was, every step must be read again, and the validator must find each time stamp to be of
/// this signature. That the authority's own signature does not hold any more, adding does not ask.
enum AugmentationBody {
    private static let trust = FuzzTrust.shared

    static func raise(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        bytes.first == 0x30 ? try raiseCMS(bytes) : try raiseXML(bytes)
    }

    /// How many time stamps of the signature with this place are of it; nil where its cryptography does not hold.
    private static func stamped(_ bytes: [UInt8], _ number: Int) -> Int? {
        let report = FuzzJudge.report(on: bytes)
        guard report.signatures.indices.contains(number) else { return nil }
        let signature = report.signatures[number]
        return signature.isCryptographicallyGood ? signature.timeStamps.count(where: \.isOfSignature) : nil
    }

    private static func promiseStamped(
        _ after: [UInt8], _ number: Int, before: Int?, _ count: Int
    ) throws(FuzzFinding) {
        guard let before, before + count <= 16 else { return }
        let now = stamped(after, number)
        try promise(now == before + count, "of \(before) and \(count) time stamps \(now ?? -1) are of the signature")
    }

    // MARK: CMS

    private static func raiseCMS(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        guard let first = try? CAdESAugmentation(bytes) else { return false }
        for index in first.signedData.signers.indices.prefix(2) {
            let before = first.signedData.signers[index].unsignedAttributes.flatMap(\.values).count
            try raiseCMS(bytes, signer: index, before: before <= 14 ? stamped(bytes, index) : nil)
        }
        return true
    }

    private static func raiseCMS(_ bytes: [UInt8], signer index: Int, before: Int?) throws(FuzzFinding) {
        var isFirst = true
        var fields: ArraySlice<UInt8> = []
        var content: ArraySlice<UInt8>?
        func next(_ bytes: [UInt8]) throws(FuzzFinding) -> CAdESAugmentation? {
            guard let read = try added({ () throws(CAdESError) in try CAdESAugmentation(bytes, signer: index) }) else {
                return nil
            }
            if isFirst { (fields, content) = (read.signedData.signers[index].signedFields, read.signedData.content) }
            isFirst = false
            try promise(
                read.signedData.signers[index].signedFields == fields && read.signedData.content == content,
                "what was signed has changed")
            return read
        }
        guard let first = try next(bytes) else { return }
        let stamp = trust.token(of: Digest(of: first.signatureTimeStampOctets))
        guard
            let stamped = try added({ () throws(CAdESError) in try first.adding(signatureTimeStamp: stamp) }),
            let second = try next(stamped),
            let kept = try added({ () throws(CAdESError) in try second.adding(trust.material) }),
            let third = try next(kept),
            let input = try added({ () throws(CAdESError) in
                try third.archiveTimeStamp(contentDigest: content == nil ? Digest(of: fuzzContent) : nil)
            })
        else { return }
        let archive = trust.token(of: input.imprint)
        guard
            let last = try added({ () throws(CAdESError) in try third.adding(archiveTimeStamp: archive, input) }),
            try next(last) != nil
        else { return }
        try promiseStamped(last, index, before: before, 2)
    }

    /// Nil where the signature has more than is read, or is of another content: the caller's own faults.
    private static func added<Value>(_ body: () throws(CAdESError) -> Value) throws(FuzzFinding) -> Value? {
        do { return try body() } catch {
            switch error {
            case .notSignedData(.malformed(.tooMany, field: _)), .contentMissing, .contentNotOfDigest: return nil
            default: throw FuzzFinding("a signature that is read cannot be raised: \(error)")
            }
        }
    }

    // MARK: XML

    private static func raiseXML(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        guard let document = try? XMLDocument(parsing: bytes) else { return false }
        let places = document.signatures.indices.prefix(2).filter {
            (try? XAdESAugmentation(document, signature: document.signatures[$0])) != nil
        }
        for number in places { try raiseXML(document, signature: number) }
        return !places.isEmpty
    }

    private static func raiseXML(_ document: XMLDocument, signature number: Int) throws(FuzzFinding) {
        let content = DetachedContent(single: fuzzContent)
        let parts = signed(document, number)
        let isHolding = (try? RaisableXAdES(document, signature: number, content)) != nil
        // The forms' reports stand in an order of their own.
        let before = SignatureValidator.isForm(document) ? nil : stamped(document.bytes, number)
        func next(_ bytes: [UInt8]) throws(FuzzFinding) -> (document: XMLDocument, step: XAdESAugmentation)? {
            let read: XMLDocument
            do { read = try XMLDocument(parsing: bytes) } catch {
                // The same time stamp may be there already; real ones are never the same.
                try promise(
                    [.limitExceeded, .duplicateID].contains(error.reason), "what is written is not read: \(error)")
                return nil
            }
            try promise(read.signatures.count == document.signatures.count, "there are other signatures")
            try promise(signed(read, number) == parts, "what was signed has changed")
            guard let step = try? XAdESAugmentation(read, signature: read.signatures[number]) else {
                throw FuzzFinding("what is written is no XAdES signature")
            }
            return (read, step)
        }
        guard let first = try next(document.bytes) else { return }
        let stamp = trust.token(of: Digest(of: first.step.timeStampOctets))
        guard let second = try next(first.step.adding(signatureTimeStamp: stamp)) else { return }
        try promise(second.step.hasTimeStamp, "the time stamp is not found")
        try promise(second.step.timeStamps.last?.token == stamp, "the time stamp is not the last")
        let id = second.step.timeStamps.last?.id
        guard let third = try next(second.step.adding(trust.material, ofTimeStamp: id)),
            let fourth = try next(third.step.adding(trust.material))
        else { return }
        try promise(fourth.step.hasValidationMaterial, "the material is not found")
        guard isHolding else { return }
        let raisable: RaisableXAdES
        do { raisable = try RaisableXAdES(fourth.document, signature: number, content) } catch {
            return try promise(error.reason.hasPrefix("too-m"), "raised, it does not hold: \(error.reason)")
        }
        guard let octets = raisable.archiveOctets else { throw FuzzFinding("there is nothing to archive") }
        guard let last = try next(fourth.step.adding(archiveTimeStamp: trust.token(of: Digest(of: octets)))) else {
            return
        }
        try promiseStamped(last.document.bytes, number, before: before, 2)
    }

    /// What no step may change: the canonical forms of all that the signature has but its unsigned properties.
    private static func signed(_ document: XMLDocument, _ number: Int) -> [[UInt8]] {
        let signature = document.signatures[number]
        let properties = signature.children("Object", Namespaces.ds).flatMap {
            $0.children("QualifyingProperties", Namespaces.xades)
        }.flatMap { $0.children("SignedProperties", Namespaces.xades) }
        let parts = ["SignedInfo", "SignatureValue", "KeyInfo"].flatMap { signature.children($0, Namespaces.ds) }
        return (parts + properties).map { Canonicalization.exclusive10.canonicalize($0) }
    }
}

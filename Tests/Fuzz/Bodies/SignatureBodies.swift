import Certificates
import HPKI
package import Validation
import XML

/// Judges by the authorities of the corpora.
package enum FuzzJudge {
    /// The report on a document or signature; one that is detached, with the content of the corpora.
    package static func report(on bytes: [UInt8]) -> ValidationReport {
        let isAttached = (try? CMSSignedData(contentInfo: bytes[...]))?.content != nil
        return FuzzTrust.shared.validator.judge(
            bytes, detached: isAttached ? .none : DetachedContent(single: fuzzContent), at: fuzzMoment)
    }
}

/// Whole documents, judged as a pharmacy's would be.
enum ValidationBody {
    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        if bytes.first == 0x30 { return try CMSBody.judge(bytes) }
        let report = FuzzJudge.report(on: bytes)
        let document = try? XMLDocument(parsing: bytes)
        try report.promises(document.flatMap(SignedParts.of))
        return document != nil
    }
}

/// CMS signatures, judged as the product does.
enum CMSBody {
    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) -> Bool {
        guard let read = try? CMSSignedData(contentInfo: bytes[...]) else {
            // Behind anything but a SEQUENCE stands no CMS, and XML has a target of its own.
            if bytes.first == 0x30 { try FuzzJudge.report(on: bytes).promises(nil) }
            return false
        }
        let report = FuzzJudge.report(on: bytes)
        try report.promises(SignedParts.of(read))
        try promiseSame(read.adding(.init(), toSigner: 0), read, content: read.content.map { Array($0) })
        if read.content == nil {
            let whole = read.attaching(fuzzContent)
            try promiseSame(whole, read, content: fuzzContent)
            let attached = FuzzJudge.report(on: whole)
            try promise(
                attached.result == report.result && attached.reasons == report.reasons,
                "attached, it is \(attached.reasons) and not \(report.reasons)")
        }
        return true
    }

    /// Written anew, a signature has the very signers, certificates and lists.
    private static func promiseSame(
        _ bytes: [UInt8]?, _ read: CMSSignedData, content: [UInt8]?
    ) throws(FuzzFinding) {
        guard let bytes, let again = try? CMSSignedData(contentInfo: bytes[...]) else {
            throw FuzzFinding("what is written is not read")
        }
        try promise(
            again.signers.map(\.encoded) == read.signers.map(\.encoded)
                && again.certificateChoices.map(\.encoded) == read.certificateChoices.map(\.encoded)
                && again.revocationChoices.map(\.encoded) == read.revocationChoices.map(\.encoded)
                && again.content.map { Array($0) } == content, "what is written is another signature")
    }
}

extension ValidationReport {
    /// Throws where the report says what cannot be, or passes anything but what was signed for the corpora; `parts` is nil
    /// where these cannot be found in the document.
    fileprivate func promises(_ parts: [Digest]?) throws(FuzzFinding) {
        let trust = FuzzTrust.shared
        if result == .passed {
            try promise(!signatures.isEmpty, "a document without signature passed")
            try promise(
                parts.map { !$0.isEmpty && trust.signed.isSuperset(of: $0) } ?? false, "what was not signed passes")
            try promise(
                signatures.allSatisfy { report in
                    trust.leaves.contains { $0.fingerprint.hex == report.signer?.fingerprint }
                }, "a stranger's signature passes")
        } else {
            try promise(!reasons.isEmpty, "a refusal without reason")
        }
        for stamp in signatures.flatMap(\.timeStamps) where stamp.indication == .totalPassed {
            try promise(stamp.time.map(fuzzTimeStamps.contains) ?? false, "a time is proven that nobody stamped")
        }
        // A stranger's words stand in it.
        _ = (html, json, text)
        do {
            _ = try XMLDocument(parsing: Array(xml.utf8))
        } catch {
            try promise(error.reason == .limitExceeded, "the report in XML is not read: \(error)")
        }
    }
}

internal import CoreProtocol
package import HPKI
internal import Validation

/// Front's judgement on a signed document that a caller sends: no key is used and nothing is recorded.
package struct ValidateDocument: Sendable {
    let core: any CoreCalling
    let validator: @Sendable () -> SignatureValidator
    let judges: Judges
    let clock: WallClock
    let limits: SigningLimits

    /// How a report is written.
    package enum Format: String, Sendable, CaseIterable {
        case json
        case text
        case xml
        case html

        /// The media type of the answer.
        package var mediaType: String {
            switch self {
            case .json: "application/json"
            case .text: "text/plain; charset=utf-8"
            case .xml: "application/xml"
            case .html: "text/html; charset=utf-8"
            }
        }
    }

    /// The report on `document`, in UTF-8; `content` are the octets of a detached signature.
    ///
    /// A document that cannot be read is judged too: its report says failed. Throws what core says of the token,
    /// `.tooLarge`, `.overloaded` and `.judgementTimedOut`.
    package func report(
        on document: [UInt8], content: [UInt8]?, as format: Format, _ origin: RequestOrigin
    ) async throws(Failure) -> [UInt8] {
        try await core.identify(origin.token, deadline: origin.deadline)
        guard max(document.count, content?.count ?? 0) <= limits.signedBytes else {
            throw Failure(.tooLarge, "The document is longer than \(limits.signedBytes) bytes.")
        }
        return try await judges { () async throws(Failure) in
            let report: ValidationReport
            do throws(JudgementError) {
                report = try validator().judge(
                    document, detached: DetachedContent(single: content), at: clock.now(),
                    until: JudgementDeadline(origin.deadline))
            } catch { throw Failure(error) }
            switch format {
            case .json: return Array(report.json.utf8)
            case .text: return Array(report.text.utf8)
            case .xml: return Array(report.xml.utf8)
            case .html: return Array(report.html.utf8)
            }
        }
    }
}

extension SignDocument {
    /// Judging documents by the same trust, clock and limits.
    package var validation: ValidateDocument {
        ValidateDocument(core: core, validator: validator, judges: judges, clock: clock, limits: limits)
    }
}

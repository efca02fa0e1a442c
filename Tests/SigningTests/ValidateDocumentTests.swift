import HPKI
import Signing
import Testing

/// Judging a document that a caller sends.
@Suite struct ValidateDocumentTests {
    private func text(_ document: [UInt8], _ format: ValidateDocument.Format) async throws -> String {
        let validation = try SignDocument(SoftwareCore()).validation
        return String(
            decoding: try await validation.report(on: document, content: nil, as: format, origin), as: UTF8.self)
    }

    @Test func `what was signed here passes by the same trust, in every format`() async throws {
        let core = SoftwareCore()
        let document = try await SignDocument(core).prescription(.csv(prescriptionCSV), origin).document
        #expect(try await text(document, .json).contains("\"result\" : \"passed\""))
        #expect(try await text(document, .text).contains("Result: passed"))
        #expect(try await text(document, .xml).contains("<OverallResult>passed</OverallResult>"))
        #expect(try await text(document, .html).contains("署名は有効です"))
    }

    @Test func `a document that cannot be read is judged as failed, and one too long is refused`() async throws {
        #expect(try await text(Array("no XML".utf8), .json).contains("\"result\" : \"failed\""))
        var limits = SigningLimits()
        limits.documentBytes = 4
        let validation = try SignDocument(SoftwareCore(), limits: limits).validation
        let long = Array("too long?".utf8)
        for (document, content) in [(long, nil), ([1], long)] {
            await #expect(throws: Failure.self) {
                try await validation.report(on: document, content: content, as: .json, origin)
            }
        }
    }

    @Test func `nothing is judged for a caller whom core does not know`() async throws {
        let core = SoftwareCore(refusal: Failure(.invalidToken, "no"))
        let validation = try SignDocument(core).validation
        await #expect(throws: Failure(.invalidToken, "no")) {
            try await validation.report(on: Array("<a/>".utf8), content: nil, as: .json, origin)
        }
    }
}

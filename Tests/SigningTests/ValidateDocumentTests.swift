import HPKI
import Signing
import Testing

/// Judging a document that a caller sends.
@Suite struct ValidateDocumentTests {
    private func text(_ document: [UInt8], _ format: ValidateDocument.Format) throws -> String {
        String(
            decoding: try SignDocument(SoftwareCore()).validation.report(on: document, content: nil, as: format),
            as: UTF8.self)
    }

    @Test func `what was signed here passes by the same trust, in every format`() async throws {
        let core = SoftwareCore()
        let document = try await SignDocument(core).prescription(.csv(prescriptionCSV), origin).document
        #expect(try text(document, .json).contains("\"result\" : \"passed\""))
        #expect(try text(document, .text).contains("Result: passed"))
        #expect(try text(document, .xml).contains("<OverallResult>passed</OverallResult>"))
        #expect(try text(document, .html).contains("署名は有効です"))
        // The answer to the signing request aside, core is asked nothing.
        #expect(core.commands.count == 1 && core.refused.isEmpty)
    }

    @Test func `a document that cannot be read is judged as failed, and one too long is refused`() throws {
        #expect(try text(Array("no XML".utf8), .json).contains("\"result\" : \"failed\""))
        var limits = SigningLimits()
        limits.documentBytes = 4
        let validation = try SignDocument(SoftwareCore(), limits: limits).validation
        #expect(throws: Failure.self) { try validation.report(on: Array("too long?".utf8), content: nil, as: .json) }
        #expect(throws: Failure.self) { try validation.report(on: [1], content: Array("too long?".utf8), as: .json) }
    }
}

import Foundation
import Testing
import Web

struct FailureDocumentTests {
    @Test func `docs failures md says what the table says`() throws {
        let document = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/failures.md")
        let text = try String(contentsOf: document, encoding: .utf8)
        // `shirushi failures > docs/failures.md` writes it anew.
        #expect(text == FailureTable.markdown)
    }
}

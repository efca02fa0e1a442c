import JOSE
import Testing

@Suite struct `Secrets of a signer` {
    @Test func `a signer printed shows its name and not its key`() async throws {
        let signer = try await Fixture.shared.value.es256
        let secret = signer.privateKeyPEM.split(separator: "\n")[1]
        for text in ["\(signer)", String(describing: [signer]), String(reflecting: signer)] {
            #expect(!text.contains(secret) && text.contains("ec"))
        }
    }
}

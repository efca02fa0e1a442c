import CoreProtocol
import HPKI
import Host
import Testing

@Suite struct RegistrationTests {
    @Test func `a page's size outside its bounds is refused`() {
        for limit in [0, 201, .max] as [UInt16] { refuse(.listHolders(after: nil, limit: limit), .invalidValue) }
        for limit in [0, 201] as [UInt16] { refuse(.listCredentials(of: nil, after: nil, limit: limit), .invalidValue) }
        for limit in [0, 501] as [UInt16] { refuse(.importRows(name: "a", from: 0, limit: limit), .invalidValue) }
    }

    @Test func `what is over a bound is refused by its length alone`() {
        let long = String(repeating: "長", count: 67)
        let roles = Array(repeating: HCRole.pharmacist, count: 17)
        for record in [
            record(romaji: long), record(japanese: long), record(roles: roles),
            record(roles: [HCRole(String(repeating: "r", count: 65))]),
            record(numbers: Array(repeating: .init(register: "a", number: "1"), count: 17)),
            record(numbers: [.init(register: "a", number: String(repeating: "1", count: 65))]),
        ] {
            refuse(.putHolder(record), .tooLong)
        }
        let credential = RegistrationSamples.credential
        refuse(.deliver(credential, certificate: Array(repeating: 0, count: 16_385), takesOverAt: nil), .tooLong)
        refuse(.takeRevocationList(Array(repeating: 0, count: 1_000_001)), .tooLong)
        refuse(.importJob(name: String(repeating: "n", count: 65)), .tooLong)
        let row = ImportRow(holder: record(), order: nil)
        refuse(.startImport(name: "a", rows: Array(repeating: row, count: 1001)), .tooLong)
    }

    @Test func `a full import of usual rows and full pages of usual answers fit a frame`() throws {
        let holder = record(
            romaji: String(repeating: "n", count: 40), japanese: "山田太郎", roles: [.medicalDoctor],
            numbers: [.init(register: "医籍", number: "123456")]
        )
        let order = KeyOrder(
            credential: RegistrationSamples.credential, holder: holder.id, keyType: .rsa2048, replaces: nil
        )
        let rows = Array(repeating: ImportRow(holder: holder, order: order), count: RegistrationLimits.importRows)
        let request = frame(.startImport(name: "a", rows: rows))
        #expect(request.bytes.count < 1 << 20)
        #expect(try RequestFrame(request.bytes) == request)

        let facts = CredentialFacts(
            id: RegistrationSamples.credential, holder: holder.id, state: .active, keyType: .rsa4096,
            custody: "wrapped", publicKey: Array(repeating: 1, count: 550),
            certificate: Array(repeating: 2, count: 2800),
            replaces: RegistrationSamples.former, takesOverAt: nil, reason: nil, changedAt: Instant(seconds: 1)
        )
        let page = ReplyFrame(
            call: 1,
            reply: .registration(
                .credentials(
                    Array(repeating: facts, count: RegistrationLimits.credentials), next: RegistrationSamples.former
                )
            )
        )
        #expect(page.bytes.count < 1 << 20)
        #expect(try ReplyFrame(page.bytes) == page)
    }

    @Test func `pages of the longest holders and report rows fit a frame`() throws {
        let word = String(repeating: "w", count: 64)
        let longest = HolderRecord(
            id: made(HolderID(word)), romajiName: String(repeating: "n", count: 200),
            japaneseName: String(repeating: "n", count: 200), roles: Array(repeating: HCRole(word), count: 16),
            registerNumbers: Array(repeating: .init(register: word, number: word), count: 16)
        )
        let facts = HolderFacts(record: longest, isEnabled: true)
        let holders = ReplyFrame(
            call: 1, reply: .registration(.holders(Array(repeating: facts, count: 200), next: longest.id))
        )
        let row = ImportRowFacts(
            row: 1, holder: longest.id, credential: CredentialID(word), outcome: word,
            detail: String(repeating: "d", count: 1000)
        )
        let rows = ReplyFrame(call: 1, reply: .registration(.importRows(Array(repeating: row, count: 500))))
        for frame in [holders, rows] {
            #expect(frame.bytes.count < 1 << 20)
            #expect(try ReplyFrame(frame.bytes) == frame)
        }
    }

    @Test func `a request that no frame holds is refused at once, as too large`() async throws {
        let client = CoreClient()
        let (front, core) = try SocketPair.make()
        client.connect(front)
        let request = CoreRequest.registration(
            RegistrationCommand(
                requestID: "r", party: .authority(certificate: []),
                act: .takeRevocationList(Array(repeating: 0, count: 1 << 20))
            )
        )
        let failure = await #expect(throws: Failure.self) { try await client.call(request, deadline: .max) }
        #expect(failure?.kind == .tooLarge)
        #expect(client.isConnected)
        withExtendedLifetime(core) {}
    }

    private func record(
        romaji: String = "", japanese: String = "", roles: [HCRole] = [],
        numbers: [HolderRecord.RegisterNumber] = []
    ) -> HolderRecord {
        HolderRecord(
            id: RegistrationSamples.holder, romajiName: romaji, japaneseName: japanese, roles: roles,
            registerNumbers: numbers
        )
    }

    private func frame(_ act: RegistrationCommand.Act) -> RequestFrame {
        RequestFrame(
            call: 1,
            request: .registration(RegistrationCommand(requestID: "r", party: .authority(certificate: []), act: act))
        )
    }

    private func refuse(
        _ act: RegistrationCommand.Act, _ error: WireError, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(throws: error, sourceLocation: sourceLocation) { try RequestFrame(frame(act).bytes) }
    }
}

import CoreProtocol
import HPKI

/// One frame of each act and each answer of the registry, with every optional field both there and not.
enum RegistrationSamples {
    static let holder = made(HolderID("doctor-1"))
    static let other = made(HolderID("doctor-2"))
    static let credential = made(CredentialID("doctor-1-b"))
    static let former = made(CredentialID("doctor-1-a"))

    static let record = HolderRecord(
        id: holder, romajiName: "Taro Yamada", japaneseName: "山田太郎", roles: [.medicalDoctor, .pharmacist],
        registerNumbers: [HolderRecord.RegisterNumber(register: "医籍", number: "123456")]
    )
    static let bare = HolderRecord(id: other, romajiName: "", japaneseName: "", roles: [], registerNumbers: [])

    static let acts: [RegistrationCommand.Act] = [
        .putHolder(record), .putHolder(bare), .holder(holder),
        .listHolders(after: nil, limit: 1), .listHolders(after: holder, limit: 200),
        .requestKey(KeyOrder(credential: credential, holder: holder, keyType: .rsa3072, replaces: former)),
        .requestKey(KeyOrder(credential: credential, holder: holder, keyType: nil, replaces: nil)),
        .credential(credential),
        .listCredentials(of: nil, after: nil, limit: 200), .listCredentials(of: holder, after: former, limit: 1),
        .certificationRequest(credential),
        .deliver(credential, certificate: [0x30, 0x03, 1, 2, 3], takesOverAt: nil),
        .deliver(credential, certificate: [0x30], takesOverAt: Instant(milliseconds: -1)),
        .suspend(credential, reason: .certificateHold), .resume(credential),
        .revoke(credential, reason: .aACompromise), .destroy(credential),
        .enable(holder, true), .enable(holder, false),
        .takeRevocationList([0x30, 0x00]),
        .startImport(
            name: "2026-04/1",
            rows: [
                ImportRow(
                    holder: record,
                    order: KeyOrder(credential: credential, holder: holder, keyType: .p256, replaces: nil)
                ),
                ImportRow(holder: bare, order: nil),
            ]
        ),
        .importJob(name: "2026-04/1"), .importRows(name: "四月", from: .max, limit: 500),
    ]

    static let requests: [CoreRequest] =
        acts.map { act in
            .registration(
                RegistrationCommand(requestID: "r-9", party: .authority(certificate: [0x30, 1, 7]), act: act)
            )
        } + [
            .registration(
                RegistrationCommand(
                    requestID: "",
                    party: .operatorCommand(authority: made(AuthorityID("medis")), proof: [1, 2, 3]),
                    act: .holder(holder)
                )
            )
        ]

    static let replies: [CoreReply] = [
        .registration(.holder(HolderFacts(record: record, isEnabled: true))),
        .registration(.holders([], next: nil)),
        .registration(.holders([HolderFacts(record: bare, isEnabled: false)], next: other)),
        .registration(.credential(whole)), .registration(.credential(ordered)),
        .registration(.credentials([whole, ordered], next: credential)), .registration(.credentials([], next: nil)),
        .registration(.certificationRequest([0x30, 0x02, 5, 0])),
        .registration(
            .revocationList(
                RevocationListFacts(
                    issuer: "HPKI CA", thisUpdate: Instant(seconds: 1), nextUpdate: Instant(seconds: 2), entries: 7,
                    revoked: [credential]
                )
            )
        ),
        .registration(
            .revocationList(
                RevocationListFacts(
                    issuer: "認証局", thisUpdate: Instant(milliseconds: .min), nextUpdate: nil, entries: .max, revoked: []
                )
            )
        ),
        .registration(.importJob(ImportFacts(name: "四月", total: 3, done: 2, failed: 1))),
        .registration(
            .importRows([
                ImportRowFacts(row: 0, holder: holder, credential: credential, outcome: "done", detail: nil),
                ImportRowFacts(row: 1, holder: other, credential: nil, outcome: "registryConflict", detail: "No."),
            ])
        ),
    ]

    static let whole = CredentialFacts(
        id: credential, holder: holder, state: .destructionPending, keyType: .rsa4096, custody: "wrapped",
        publicKey: [0x30, 1, 1], certificate: [0x30, 2, 2, 2], replaces: former, takesOverAt: Instant(seconds: 9),
        reason: .keyCompromise, changedAt: Instant(milliseconds: .max)
    )
    static let ordered = CredentialFacts(
        id: former, holder: other, state: .requested, keyType: .p384, custody: "resident", publicKey: nil,
        certificate: nil, replaces: nil, takesOverAt: nil, reason: nil, changedAt: Instant(seconds: 0)
    )
}

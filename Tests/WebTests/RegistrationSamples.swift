import CoreProtocol
import HPKI
import Testing
import Web

/// What an authority may ask, as HTTP and as core is told.
struct RegistrationSample: Sendable, CustomTestStringConvertible {
    let method: String
    let path: String
    var body: String?
    let act: RegistrationCommand.Act
    let reply: RegistrationReply
    var status = 200
    let answer: String

    var testDescription: String { "\(method) \(path)" }

    static let holder = HolderID("doctor/7").given
    static let credential = CredentialID("doctor-7-b").given
    static let former = CredentialID("doctor-7-a").given

    static let record = HolderRecord(
        id: holder, romajiName: "Hanako \"H\" Suzuki", japaneseName: "鈴木花子", roles: [.medicalDoctor],
        registerNumbers: [.init(register: "医籍", number: "123456")]
    )
    static let names = """
        "romajiName":"Hanako \\"H\\" Suzuki","japaneseName":"鈴木花子","roles":["Medical Doctor"],\
        "registerNumbers":[{"register":"医籍","number":"123456"}]
        """
    static let shownHolder = "{\"id\":\"doctor/7\",\(names),\"enabled\":true}"

    static let facts = CredentialFacts(
        id: credential, holder: holder, state: .suspended, keyType: .p256, custody: "wrapped", publicKey: [1],
        certificate: [2], replaces: former, takesOverAt: Instant(seconds: 0), reason: .certificateHold,
        changedAt: Instant(seconds: 86_400)
    )
    static let shownCredential = """
        {"id":"doctor-7-b","holder":"doctor/7","state":"suspended","keyType":"p-256","custody":"wrapped",\
        "publicKey":"AQ==","certificate":"Ag==","replaces":"doctor-7-a","takesOverAt":"1970-01-01T00:00:00Z",\
        "reason":"certificateHold","changedAt":"1970-01-02T00:00:00Z"}
        """
    static let job = ImportFacts(name: "april", total: 2, done: 1, failed: 1)
    static let shownJob = "{\"name\":\"april\",\"total\":2,\"done\":1,\"failed\":1,\"finished\":false}"

    static let all: [RegistrationSample] = holders + credentials + others

    private static let holders = [
        RegistrationSample(
            method: "GET", path: "holders", act: .listHolders(after: nil, limit: 100), reply: .holders([], next: nil),
            answer: "{\"holders\":[]}"
        ),
        RegistrationSample(
            method: "GET", path: "holders?after=a%2Fb&limit=200",
            act: .listHolders(after: HolderID("a/b"), limit: 200),
            reply: .holders([HolderFacts(record: record, isEnabled: true)], next: holder),
            answer: "{\"holders\":[\(shownHolder)],\"next\":\"doctor/7\"}"
        ),
        RegistrationSample(
            method: "GET", path: "holders/doctor%2f7", act: .holder(holder), reply: .holder(enabled),
            answer: shownHolder
        ),
        RegistrationSample(
            method: "PUT", path: "holders/doctor%2F7", body: "{\(names)}", act: .putHolder(record),
            reply: .holder(enabled), answer: shownHolder
        ),
        RegistrationSample(
            method: "POST", path: "holders/doctor%2F7/enable", act: .enable(holder, true), reply: .holder(enabled),
            answer: shownHolder
        ),
        RegistrationSample(
            method: "POST", path: "holders/doctor%2F7/disable", body: "{}", act: .enable(holder, false),
            reply: .holder(enabled), answer: shownHolder
        ),
    ]

    private static let credentials = [
        RegistrationSample(
            method: "GET", path: "credentials?holder=doctor/7&after=doctor-7-a&limit=1",
            act: .listCredentials(of: holder, after: former, limit: 1), reply: .credentials([facts], next: credential),
            answer: "{\"credentials\":[\(shownCredential)],\"next\":\"doctor-7-b\"}"
        ),
        one("PUT", "", "{\"holder\":\"doctor/7\"}", .requestKey(order(nil, nil))),
        one(
            "PUT", "", "{\"holder\":\"doctor/7\",\"keyType\":\"rsa-3072\",\"replaces\":\"doctor-7-a\"}",
            .requestKey(order(.rsa3072, former))
        ),
        one("GET", "", nil, .credential(credential)),
        one(
            "POST", "/certificate", "{\"certificate\":\"MAA=\"}",
            .deliver(credential, certificate: [0x30, 0], takesOverAt: nil)
        ),
        one(
            "POST", "/certificate", "{\"certificate\":\"MAA=\",\"takesOverAt\":\"1970-01-01T09:00:01+09:00\"}",
            .deliver(credential, certificate: [0x30, 0], takesOverAt: Instant(seconds: 1))
        ),
        one("POST", "/suspend", nil, .suspend(credential, reason: .certificateHold)),
        one("POST", "/suspend", "{\"reason\":\"superseded\"}", .suspend(credential, reason: .superseded)),
        one("POST", "/resume", nil, .resume(credential)),
        one("POST", "/revoke", "{\"reason\":\"keyCompromise\"}", .revoke(credential, reason: .keyCompromise)),
        one("POST", "/destroy", "{}", .destroy(credential)),
        RegistrationSample(
            method: "GET", path: "credentials/doctor-7-b/request", act: .certificationRequest(credential),
            reply: .certificationRequest([0x30, 0]), answer: "{\"request\":\"MAA=\"}"
        ),
    ]

    private static let others = [
        RegistrationSample(
            method: "POST", path: "revocation-lists", body: "{\"list\":\"MAA=\"}", act: .takeRevocationList([0x30, 0]),
            reply: .revocationList(
                RevocationListFacts(
                    issuer: "CN=CA", thisUpdate: Instant(seconds: 0), nextUpdate: nil, entries: 3, revoked: [former]
                )
            ),
            answer:
                "{\"issuer\":\"CN=CA\",\"thisUpdate\":\"1970-01-01T00:00:00Z\",\"entries\":3,\"revoked\":[\"doctor-7-a\"]}"
        ),
        RegistrationSample(
            method: "PUT", path: "imports/april",
            body: """
                {"rows":[{"holder":{"id":"doctor/7",\(names)},"credential":"doctor-7-b","keyType":"p-384"},\
                {"holder":{"id":"doctor/7",\(names)}}]}
                """,
            act: .startImport(
                name: "april",
                rows: [ImportRow(holder: record, order: order(.p384, nil)), ImportRow(holder: record, order: nil)]
            ),
            reply: .importJob(job), status: 202, answer: shownJob
        ),
        RegistrationSample(
            method: "GET", path: "imports/april", act: .importJob(name: "april"), reply: .importJob(job),
            answer: shownJob
        ),
        RegistrationSample(
            method: "GET", path: "imports/april/rows?from=1&limit=500",
            act: .importRows(name: "april", from: 1, limit: 500),
            reply: .importRows([
                ImportRowFacts(row: 1, holder: holder, credential: nil, outcome: "registryConflict", detail: "No."),
                ImportRowFacts(row: 2, holder: holder, credential: former, outcome: "done", detail: nil),
            ]),
            answer: """
                {"rows":[{"row":1,"holder":"doctor/7","outcome":"registry-conflict","detail":"No."},\
                {"row":2,"holder":"doctor/7","credential":"doctor-7-a","outcome":"done"}]}
                """
        ),
    ]

    private static let enabled = HolderFacts(record: record, isEnabled: true)

    private static func order(_ type: KeyType?, _ replaces: CredentialID?) -> KeyOrder {
        KeyOrder(credential: credential, holder: holder, keyType: type, replaces: replaces)
    }

    private static func one(
        _ method: String, _ rest: String, _ body: String?, _ act: RegistrationCommand.Act
    ) -> RegistrationSample {
        RegistrationSample(
            method: method, path: "credentials/doctor-7-b" + rest, body: body, act: act, reply: .credential(facts),
            answer: shownCredential
        )
    }
}

extension Optional {
    /// The value of an identifier written in a test.
    var given: Wrapped {
        guard let self else { preconditionFailure("a test's identifier is none") }
        return self
    }
}

import CoreProtocol
import HPKI
package import Storage

/// Core's table of signatures: what `GET /v1/signatures/{id}` tells, and what a repeated request is answered from.
package enum SignatureStore {
    /// The table that this module owns.
    ///
    /// `claim` and `body` are keyed hashes of an `Idempotency-Key` with its scope, and of the body it came with; they,
    /// `certificate` and `value` are emptied after 24 hours. Nothing of a document is kept but its digest.
    package static let part = SchemaPart(
        "signature",
        versions: [
            """
            CREATE TABLE signature (
                id TEXT PRIMARY KEY,
                holder TEXT NOT NULL,
                state INTEGER NOT NULL,
                form TEXT NOT NULL,
                digest_algorithm TEXT NOT NULL,
                digest BLOB NOT NULL,
                signed_at BIGINT NOT NULL,
                credential TEXT NOT NULL,
                algorithm TEXT NOT NULL,
                rule TEXT NOT NULL,
                intent BIGINT NOT NULL UNIQUE,
                outcome BIGINT,
                claim BLOB UNIQUE,
                body BLOB,
                certificate BLOB,
                value BLOB
            );
            CREATE INDEX signature_claimed ON signature (signed_at) WHERE claim IS NOT NULL;
            """
        ]
    )

    /// Seconds for which a repeated request is answered from the store.
    package static let keepSeconds: Int64 = 24 * 3600

    static func insertOpen(
        _ facts: SignatureFacts, holder: HolderID, algorithm: SignatureAlgorithm, claim: Claim?,
        in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            """
            INSERT INTO signature (id, holder, state, form, digest_algorithm, digest, signed_at, credential, algorithm,
                rule, intent, claim, body)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            """,
            [
                .text(facts.signature.description), .text(holder.description), .integer(Int64(facts.state.rawValue)),
                .text(facts.form.rawValue), .text(facts.digest.algorithm.rawValue), .blob(facts.digest.bytes),
                .integer(facts.signedAt.milliseconds), .text(facts.credential.description), .text(algorithm.rawValue),
                .text(facts.rule), .integer(Int64(facts.intent)), .blob(optional: claim?.key),
                .blob(optional: claim?.body),
            ]
        )
    }

    static func close(
        _ signature: SignatureID, as state: SignatureFacts.State, outcome: UInt64, value: [UInt8]?,
        certificate: [UInt8]?, in connection: any SQLConnection
    ) throws(StorageError) {
        // A signature that surely failed gives its claim back, so that the client may try again with the same key.
        let release = state == .failed ? ", claim = NULL, body = NULL" : ""
        let changed = try connection.execute(
            "UPDATE signature SET state = $2, outcome = $3, value = $4, certificate = $5\(release) WHERE id = $1",
            [
                .text(signature.description), .integer(Int64(state.rawValue)), .integer(Int64(outcome)),
                .blob(optional: value), .blob(optional: certificate),
            ]
        )
        guard changed == 1 else { throw .missing }
    }

    static func closeAsUnknown(
        intent: UInt64, outcome: UInt64, in connection: any SQLConnection
    ) throws(StorageError) {
        try connection.execute(
            "UPDATE signature SET state = $2, outcome = $3 WHERE intent = $1",
            [
                .integer(Int64(intent)), .integer(Int64(SignatureFacts.State.unknown.rawValue)),
                .integer(Int64(outcome)),
            ]
        )
    }

    /// What is kept of the use that an intent began: its outcome, nil while there is none, and whether a repeated
    /// request is answered from it; nil where nothing is kept.
    static func use(
        of intent: UInt64, in connection: any SQLConnection
    ) throws(StorageError) -> (outcome: UInt64?, isClaimed: Bool)? {
        let row = try connection.queryOne(
            "SELECT outcome, claim FROM signature WHERE intent = $1", [.integer(Int64(clamping: intent))])
        guard let row else { return nil }
        return (
            try row.optionalInteger("outcome").map { UInt64(clamping: $0) }, try row.optionalBlob("claim") != nil
        )
    }

    /// Deletes what is kept of the uses of these intents, which are closed; numbers of other records do no harm.
    static func erase(intents: [UInt64], in connection: any SQLConnection) throws(StorageError) {
        for intent in intents {
            try connection.execute(
                "DELETE FROM signature WHERE intent = $1 AND outcome IS NOT NULL AND claim IS NULL",
                [.integer(Int64(clamping: intent))])
        }
    }

    /// Empties what is kept for repeated requests older than 24 hours.
    static func forgetClaims(before moment: Instant, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            """
            UPDATE signature SET claim = NULL, body = NULL, certificate = NULL, value = NULL
            WHERE claim IS NOT NULL AND signed_at < $1
            """,
            [.integer(moment.milliseconds)]
        )
    }

    /// What was recorded of one signature of `holder`; nil also when it is another's.
    static func facts(
        of signature: SignatureID, holder: HolderID, in connection: any SQLConnection
    ) throws(StorageError) -> SignatureFacts? {
        let row = try connection.queryOne(
            "SELECT \(columns) FROM signature WHERE id = $1 AND holder = $2",
            [.text(signature.description), .text(holder.description)]
        )
        guard let row else { return nil }
        return try facts(row)
    }

    static func claimed(_ claim: Claim, in connection: any SQLConnection) throws(StorageError) -> Claimed? {
        let row = try connection.queryOne(
            "SELECT \(columns), algorithm, body, certificate, value FROM signature WHERE claim = $1",
            [.blob(claim.key)]
        )
        guard let row else { return nil }
        guard let algorithm = SignatureAlgorithm(rawValue: try row.text("algorithm")) else { throw .unexpectedValue }
        return Claimed(
            facts: try facts(row), algorithm: algorithm, body: try row.optionalBlob("body") ?? [],
            certificate: try row.optionalBlob("certificate"), value: try row.optionalBlob("value")
        )
    }

    /// A signature that an earlier request with the same key claimed.
    struct Claimed: Sendable {
        let facts: SignatureFacts
        let algorithm: SignatureAlgorithm
        let body: [UInt8]
        let certificate: [UInt8]?
        let value: [UInt8]?
    }

    private static let columns =
        "id, state, form, digest_algorithm, digest, signed_at, credential, rule, intent, outcome"

    private static func facts(_ row: SQLRow) throws(StorageError) -> SignatureFacts {
        guard let signature = SignatureID(try row.text("id")),
            let state = SignatureFacts.State(rawValue: UInt8(clamping: try row.integer("state"))),
            let form = DocumentForm(rawValue: try row.text("form")),
            let algorithm = DigestAlgorithm(rawValue: try row.text("digest_algorithm")),
            let digest = Digest(algorithm: algorithm, bytes: try row.blob("digest")),
            let credential = CredentialID(try row.text("credential"))
        else { throw .unexpectedValue }
        return SignatureFacts(
            signature: signature, state: state, form: form, digest: digest,
            signedAt: Instant(milliseconds: try row.integer("signed_at")), credential: credential,
            rule: try row.text("rule"), intent: UInt64(clamping: try row.integer("intent")),
            outcome: try row.optionalInteger("outcome").map { UInt64(clamping: $0) }
        )
    }
}

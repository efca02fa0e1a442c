package import Storage

extension CredentialStore {
    /// The tables that this module owns.
    ///
    /// Small columns stand before the large ones, so that a look at a row's state reads one page.
    package static let part = SchemaPart(
        "keys",
        versions: [
            """
            CREATE TABLE credential (
                id TEXT PRIMARY KEY,
                holder TEXT NOT NULL,
                key_id BLOB NOT NULL UNIQUE,
                custody TEXT NOT NULL,
                algorithm TEXT NOT NULL,
                certificate BLOB NOT NULL,
                state TEXT NOT NULL
            );
            CREATE INDEX credential_holder ON credential (holder);
            """,
            """
            DROP INDEX credential_holder;
            ALTER TABLE credential RENAME TO credential_1;
            CREATE TABLE credential (
                id TEXT PRIMARY KEY,
                holder TEXT NOT NULL,
                state TEXT NOT NULL,
                authority TEXT NOT NULL,
                key_type TEXT NOT NULL,
                algorithm TEXT NOT NULL,
                custody TEXT NOT NULL,
                replaces TEXT,
                takes_over_at BIGINT,
                ends_at BIGINT,
                reason BIGINT,
                held_since BIGINT,
                changed_at BIGINT NOT NULL,
                version BIGINT NOT NULL,
                record BIGINT,
                public_key BLOB,
                certificate BLOB,
                request BLOB
            );
            CREATE INDEX credential_holder ON credential (holder);
            CREATE INDEX credential_authority ON credential (authority, id);
            CREATE INDEX credential_due ON credential (takes_over_at) WHERE takes_over_at IS NOT NULL;
            CREATE INDEX credential_end ON credential (ends_at) WHERE ends_at IS NOT NULL;
            CREATE INDEX credential_pending ON credential (changed_at) WHERE state = 'destruction-pending';
            CREATE TABLE key_material (
                credential TEXT PRIMARY KEY,
                key_id BLOB UNIQUE,
                epoch BIGINT,
                blob BLOB,
                seal BLOB
            );
            CREATE INDEX key_material_epoch ON key_material (epoch) WHERE epoch IS NOT NULL;
            CREATE TABLE certificate_seen (
                issuer BLOB NOT NULL,
                serial BLOB NOT NULL,
                credential TEXT NOT NULL,
                PRIMARY KEY (issuer, serial)
            );
            INSERT INTO credential (id, holder, state, authority, key_type, algorithm, custody, changed_at, version,
                certificate)
            SELECT id, holder, state, '', '', algorithm, custody, 0, 0, certificate FROM credential_1;
            INSERT INTO key_material (credential, key_id) SELECT id, key_id FROM credential_1;
            DROP TABLE credential_1;
            """,
        ]
    )
}

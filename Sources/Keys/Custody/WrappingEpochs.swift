package import Storage

/// One wrapping key of the token: which it is and whether new keys go under it.
package struct WrappingEpoch: Sendable, Hashable {
    /// What a wrapping key is for now.
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// New keys are wrapped under it.
        case current
        /// Keys are being moved from it to the current one.
        case retiring
        /// No key is under it and it is gone from the token.
        case retired
    }

    /// Counts from 1.
    package let epoch: Int64
    /// CKA_ID of the wrapping key.
    package let keyID: [UInt8]
    /// What an officer compares after a restore; empty where the key was never outside the module.
    package let checkValue: [UInt8]
    package let state: State

    /// An epoch of its parts.
    package init(epoch: Int64, keyID: [UInt8], checkValue: [UInt8], state: State) {
        self.epoch = epoch
        self.keyID = keyID
        self.checkValue = checkValue
        self.state = state
    }
}

/// The registry's table of wrapping keys.
package enum WrappingEpochStore {
    /// The table that this module owns.
    package static let part = SchemaPart(
        "custody",
        versions: [
            """
            CREATE TABLE wrapping_epoch (
                epoch BIGINT PRIMARY KEY,
                key_id BLOB NOT NULL UNIQUE,
                check_value BLOB NOT NULL,
                state TEXT NOT NULL
            );
            CREATE TABLE spare_key (
                id TEXT PRIMARY KEY,
                key_type TEXT NOT NULL,
                public_key BLOB NOT NULL,
                epoch BIGINT NOT NULL,
                blob BLOB NOT NULL,
                seal BLOB NOT NULL
            );
            CREATE INDEX spare_key_type ON spare_key (key_type);
            """
        ]
    )

    /// All epochs, oldest first.
    package static func all(in connection: any SQLConnection) throws(StorageError) -> [WrappingEpoch] {
        var epochs: [WrappingEpoch] = []
        for row in try connection.query("SELECT epoch, key_id, check_value, state FROM wrapping_epoch ORDER BY epoch") {
            guard let state = WrappingEpoch.State(rawValue: try row.text("state")) else { throw .unexpectedValue }
            epochs.append(
                WrappingEpoch(
                    epoch: try row.integer("epoch"), keyID: try row.blob("key_id"),
                    checkValue: try row.blob("check_value"), state: state
                ))
        }
        return epochs
    }

    /// Makes `epoch` the current one; the one before it, if any, retires from now on.
    package static func insert(_ epoch: WrappingEpoch, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute("UPDATE wrapping_epoch SET state = 'retiring' WHERE state = 'current'")
        try connection.execute(
            "INSERT INTO wrapping_epoch (epoch, key_id, check_value, state) VALUES ($1, $2, $3, $4)",
            [
                .integer(epoch.epoch), .blob(epoch.keyID), .blob(epoch.checkValue), .text(epoch.state.rawValue),
            ]
        )
    }

    /// Notes that no key is under the epoch any more and its wrapping key is destroyed.
    package static func retire(_ epoch: Int64, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            "UPDATE wrapping_epoch SET state = 'retired' WHERE epoch = $1", [.integer(epoch)])
    }

    /// How many keys, spare ones included, are under epochs other than `epoch`.
    package static func remaining(
        besides epoch: Int64, in connection: any SQLConnection
    ) throws(StorageError) -> Int64 {
        var count: Int64 = 0
        for table in ["key_material", "spare_key"] {
            count +=
                try connection.queryOne(
                    "SELECT COUNT(*) AS n FROM \(table) WHERE epoch IS NOT NULL AND epoch <> $1", [.integer(epoch)]
                )?.integer("n") ?? 0
        }
        return count
    }
}

package import HPKI
package import PKCS11
package import Storage

/// A key just made, not yet anybody's until it is stored.
package struct NewKey: Sendable, Hashable {
    package let material: KeyMaterial
    /// SubjectPublicKeyInfo in DER.
    package let publicKey: [UInt8]
    /// The spare that it was; deleted in the transaction that stores the key.
    package let spare: SpareKey?
}

extension KeyCustody {
    /// Makes a resident pair: a token object that is never extractable.
    package func makeResidentKey(
        _ type: KeyType, for credential: CredentialID, random: Random
    ) async throws(KeyError) -> NewKey {
        let keyID = random.bytes(16)
        let label = credential.description
        do {
            let pair = try await pool.runApart(writable: true) { session throws(PKCS11Error) in
                try session.generateKeyPair(type, label: label, id: keyID)
            }
            try await findKeys(until: .now.advanced(by: .seconds(30)))
            return NewKey(material: .resident(keyID: keyID), publicKey: pair.subjectPublicKeyInfo, spare: nil)
        } catch { throw .token(error) }
    }

    /// Makes a pair inside the module and wraps it under the epoch's key, or takes a spare one, sealed for its holder.
    package func makeWrappedKey(
        _ type: KeyType, for credential: CredentialID, of holder: HolderID, epoch: Int64, spare: SpareKey?
    ) async throws(KeyError) -> NewKey {
        let blob: [UInt8]
        let publicKey: [UInt8]
        let usable: SpareKey?
        if let spare, spare.wrapped.epoch == epoch, spare.keyType == type {
            try seals.check(spare.wrapped, for: spare.binding)
            (blob, publicKey, usable) = (spare.wrapped.blob, spare.publicKey, spare)
        } else {
            let pair = try await generate(type, epoch: epoch)
            (blob, publicKey, usable) = (pair.blob, pair.subjectPublicKeyInfo, nil)
        }
        let binding = KeyBinding(credential: credential, holder: holder, keyType: type, publicKey: publicKey)
        return NewKey(
            material: .wrapped(seals.seal(blob, epoch: epoch, for: binding)), publicKey: publicKey, spare: usable)
    }

    /// Makes a pair for later, so that nobody waits for an RSA key.
    package func makeSpare(_ type: KeyType, epoch: Int64, random: Random) async throws(KeyError) -> SpareKey {
        let pair = try await generate(type, epoch: epoch)
        return SpareKey(
            id: Hex.encode(random.bytes(16)), keyType: type, publicKey: pair.subjectPublicKeyInfo, blob: pair.blob,
            epoch: epoch, seals: seals)
    }

    /// Moves a key from its epoch to another, inside the module: the rotation key gives a copy that can be wrapped
    /// under a trusted key and nothing else.
    package func rewrap(
        _ wrapped: WrappedKey, for binding: KeyBinding, rotationKey: KeyHandle, to epoch: Int64
    ) async throws(KeyError) -> WrappedKey {
        try seals.check(wrapped, for: binding)
        let target = try wrappingKey(of: epoch)
        let (blob, type) = (wrapped.blob, binding.keyType)
        do {
            let moved = try await pool.run(deadline: .now.advanced(by: .seconds(30))) { session throws(PKCS11Error) in
                try session.rewrap(blob, as: type, from: rotationKey, to: target)
            }
            return seals.seal(moved, epoch: epoch, for: binding)
        } catch .wrappedKeyRefused {
            throw .unwrapRefused(binding.credential)
        } catch { throw .token(error) }
    }

    /// The rotation key of an epoch, which ceremonies label (`WrappingLabel`); throws `.epochMissing` where it is
    /// not in the token or not sound.
    package func rotationKey(of epoch: Int64) async throws(KeyError) -> KeyHandle {
        let keys: [KeyObject]
        do {
            keys = try await pool.run(deadline: .now.advanced(by: .seconds(30))) { session throws(PKCS11Error) in
                try session.secretKeys()
            }
        } catch { throw .token(error) }
        guard let key = keys.first(where: { $0.label == WrappingLabel.rotation(epoch) && $0.isSoundRotationKey }) else {
            throw .epochMissing(epoch)
        }
        return key.handle
    }

    /// Destroys a resident key's object in the token; a key that is not there is no fault.
    package func destroyResident(_ keyID: [UInt8]) async throws(KeyError) {
        do {
            try await pool.runApart(writable: true) { session throws(PKCS11Error) in
                for key in try session.privateKeys() where key.id == keyID && key.attributes.isToken != false {
                    try session.destroy(key.handle)
                }
            }
            try await findKeys(until: .now.advanced(by: .seconds(30)))
        } catch { throw .token(error) }
    }

    /// Generating an RSA key may take many seconds, which is no hang and keeps no signature waiting.
    private func generate(_ type: KeyType, epoch: Int64) async throws(KeyError) -> WrappedKeyPair {
        for _ in 0..<3 {
            let target = try wrappingKey(of: epoch)
            do {
                return try await pool.runApart { session throws(PKCS11Error) in
                    try session.generateWrappedKeyPair(type, under: target)
                }
            } catch .keyMissing {
                do { try await findKeys(until: .now.advanced(by: .seconds(30))) } catch { throw .token(error) }
            } catch { throw .token(error) }
        }
        throw .token(.keyMissing)
    }
}

/// A wrapped pair that is nobody's yet.
package struct SpareKey: Sendable, Hashable {
    /// 128 random bits in hexadecimal.
    package let id: String
    package let keyType: KeyType
    package let publicKey: [UInt8]
    package let wrapped: WrappedKey

    init(id: String, keyType: KeyType, publicKey: [UInt8], wrapped: WrappedKey) {
        self.id = id
        self.keyType = keyType
        self.publicKey = publicKey
        self.wrapped = wrapped
    }

    init(id: String, keyType: KeyType, publicKey: [UInt8], blob: [UInt8], epoch: Int64, seals: CustodyKey) {
        let binding = Self.binding(id, keyType, publicKey)
        self.init(
            id: id, keyType: keyType, publicKey: publicKey, wrapped: seals.seal(blob, epoch: epoch, for: binding))
    }

    var binding: KeyBinding { Self.binding(id, keyType, publicKey) }

    private static func binding(_ id: String, _ type: KeyType, _ publicKey: [UInt8]) -> KeyBinding {
        KeyBinding(spare: id, keyType: type, publicKey: publicKey)
    }
}

/// The table of spare keys, which stands in the part `custody`.
package enum SpareKeyStore {
    /// How many spare keys of a type there are.
    package static func count(_ type: KeyType, in connection: any SQLConnection) throws(StorageError) -> Int {
        let row = try connection.queryOne(
            "SELECT COUNT(*) AS n FROM spare_key WHERE key_type = $1", [.text(type.rawValue)])
        return Int(try row?.integer("n") ?? 0)
    }

    /// At most `limit` spare keys of a type under an epoch.
    package static func list(
        _ type: KeyType, epoch: Int64, limit: Int, in connection: any SQLConnection
    ) throws(StorageError) -> [SpareKey] {
        let rows = try connection.query(
            "SELECT id, public_key, blob, seal FROM spare_key WHERE key_type = $1 AND epoch = $2 LIMIT $3",
            [.text(type.rawValue), .integer(epoch), .integer(Int64(limit))]
        )
        var spares: [SpareKey] = []
        for row in rows {
            spares.append(
                SpareKey(
                    id: try row.text("id"), keyType: type, publicKey: try row.blob("public_key"),
                    wrapped: WrappedKey(epoch: epoch, blob: try row.blob("blob"), seal: try row.blob("seal"))
                ))
        }
        return spares
    }

    /// Adds a spare key.
    package static func insert(_ spare: SpareKey, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute(
            "INSERT INTO spare_key (id, key_type, public_key, epoch, blob, seal) VALUES ($1, $2, $3, $4, $5, $6)",
            [
                .text(spare.id), .text(spare.keyType.rawValue), .blob(spare.publicKey), .integer(spare.wrapped.epoch),
                .blob(spare.wrapped.blob), .blob(spare.wrapped.seal),
            ]
        )
    }

    /// Takes a spare key out; false where somebody else took it before.
    package static func take(_ spare: SpareKey, in connection: any SQLConnection) throws(StorageError) -> Bool {
        try connection.execute("DELETE FROM spare_key WHERE id = $1", [.text(spare.id)]) == 1
    }

    /// Deletes the spare keys of other epochs than `epoch`: making new ones is simpler than moving them.
    package static func deleteOthers(than epoch: Int64, in connection: any SQLConnection) throws(StorageError) {
        try connection.execute("DELETE FROM spare_key WHERE epoch <> $1", [.integer(epoch)])
    }
}

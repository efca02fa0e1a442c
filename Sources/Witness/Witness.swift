package import HPKI
package import Host
import Storage
package import Transparency

/// A witness: it cosigns checkpoints of logs that it knows, as long as each begins with the one before
/// (C2SP tlog-witness).
///
/// Its folder holds the key's seed and what it has seen; both must survive, or the logs' next rollback is not seen.
package struct Witness: Sendable {
    /// What is answered to a submission; the numbers are the statuses of C2SP tlog-witness.
    package enum Answer: Sendable, Hashable {
        /// 200: signature lines.
        case cosigned(String)
        /// 400: it cannot be read, or its old size is larger than its size.
        case malformed(String)
        /// 403: no signature by a key that is trusted for the log.
        case unsigned
        /// 404: nobody told the witness of this log.
        case unknownLog
        /// 409: what was cosigned last has this size; the same one, where it had another root.
        case conflict(size: UInt64)
        /// 422: the proof does not lead from what was cosigned to this checkpoint.
        case inconsistent
    }

    private let database: Database
    private let signer: NoteSigner
    private let clock: WallClock

    /// The witness's own key, as logs are told of it.
    package var key: NoteKey { signer.key }

    /// Makes a witness with a fresh key in a folder that has none; blocks; throws `WitnessError`.
    package static func create(in folder: String, name: String, random: Random) throws(WitnessError) -> NoteKey {
        guard NoteKey.isName(name) else { throw .badName }
        let paths = Paths(folder: folder)
        do {
            try Files.makeFolder(folder)
            guard !Files.exists(paths.key), !Files.exists(paths.database) else { throw WitnessError.exists(folder) }
            let seed = random.bytes(32)
            guard let signer = NoteSigner(name: name, kind: .cosignature, seed: seed) else {
                throw WitnessError.badName
            }
            // The key last: a folder with a key has everything.
            try Database.create(at: paths.database, parts: [WitnessTables.part]).close()
            try SecretFile.write(Array("\(name)\n\(Hex.encode(seed))\n".utf8), to: paths.key)
            return signer.key
        } catch { throw WitnessError(error) }
    }

    /// Opens the witness of a folder; blocks; throws `WitnessError`.
    package init(folder: String, clock: WallClock) throws(WitnessError) {
        let paths = Paths(folder: folder)
        self.clock = clock
        do {
            let lines = String(decoding: try SecretFile.read(paths.key, atMost: 1024).copiedBytes, as: UTF8.self)
                .split(separator: "\n").map(String.init)
            guard lines.count == 2, let seed = Hex.decode(lines[1]),
                let signer = NoteSigner(name: lines[0], kind: .cosignature, seed: seed)
            else { throw WitnessError.badKeyFile(paths.key) }
            self.signer = signer
            database = try Database.open(at: paths.database, parts: [WitnessTables.part])
        } catch { throw WitnessError(error) }
    }

    /// Cosigns the checkpoint in a request's body if everything about it holds; throws `WitnessError` where that cannot
    /// be told or be kept, and nothing is signed then.
    ///
    /// Comparing with what was seen and keeping the new one is one transaction, and the signature is given after it.
    /// A request whose log or signature is not known is answered before that.
    package func add(_ body: [UInt8]) async throws(WitnessError) -> Answer {
        let request: AddCheckpoint
        do { request = try AddCheckpoint(body) } catch { return .malformed("\(error)") }
        let checkpoint = request.checkpoint
        let known: [NoteKey]
        do {
            known = try await database.read { try WitnessTables.keys(of: checkpoint.origin, in: $0) }
        } catch { throw WitnessError(error) }
        guard !known.isEmpty else { return Answer.unknownLog }
        guard let signers = try? request.note.signers(among: known) else { return .unsigned }
        guard request.oldSize <= checkpoint.size, checkpoint.size <= UInt64(Int64.max) else {
            return .malformed("the old size is larger than the checkpoint's, or that is out of range")
        }
        // The note has one line of each key, or a log's own lines could fill it until nobody reads it.
        let own = signers.compactMap { key in
            request.note.signatures.first { $0.name == key.name && $0.keyID == key.keyID }
        }
        let (signer, now) = (signer, clock.now())
        do {
            return try await database.write { connection in
                let seen = try WitnessTables.seen(checkpoint.origin, in: connection)
                guard request.oldSize == seen?.size ?? 0 else { return .conflict(size: seen?.size ?? 0) }
                if let seen, seen.size == checkpoint.size, seen.root != checkpoint.root {
                    return .conflict(size: seen.size)
                }
                guard request.isConsistent(with: seen?.root ?? MerkleTree().root) else { return .inconsistent }
                // The whole text: a log may have put lines of its own behind the three.
                let text = request.note.text
                guard let cosignature = signer.sign(text, at: now) else { throw WitnessError.cannotSign }
                // Nobody who replays what was seen already changes how it stands.
                if seen?.size != checkpoint.size {
                    try WitnessTables.put(
                        SignedNote(text: text, signatures: own + [cosignature]), of: checkpoint, in: connection)
                }
                return .cosigned(cosignature.line)
            }
        } catch { throw WitnessError(error) }
    }

    /// The newest cosigned checkpoint of the log whose origin has this SHA-256 in hexadecimal; nil for none.
    package func checkpoint(originHash: String) async throws(WitnessError) -> String? {
        do { return try await database.read { try WitnessTables.note(originHash: originHash, in: $0) } } catch {
            throw WitnessError(error)
        }
    }

    /// Watches the log that signs with `key` from now on; throws `WitnessError`.
    package func trust(_ key: NoteKey) async throws(WitnessError) {
        guard key.kind == .ed25519 else { throw .notALogKey }
        do { try await database.write { try WitnessTables.insert(key, in: $0) } } catch { throw WitnessError(error) }
    }

    /// Takes no signature by `key` any more; what was seen of its log stays.
    package func distrust(_ key: NoteKey) async throws(WitnessError) {
        do { try await database.write { try WitnessTables.delete(key, in: $0) } } catch { throw WitnessError(error) }
    }

    /// Forgets what was seen of a log, which so may begin anew: for a log that lost its end in a disaster, after an
    /// inquiry.
    package func forget(_ origin: String) async throws(WitnessError) {
        do { try await database.write { try WitnessTables.forget(origin, in: $0) } } catch { throw WitnessError(error) }
    }

    /// The keys that are trusted, each with the size that its log had when it was cosigned last.
    package func watched() async throws(WitnessError) -> [(key: NoteKey, size: UInt64?)] {
        do {
            return try await database.read { connection in
                try WitnessTables.keys(in: connection).map { key in
                    (key, try WitnessTables.seen(key.name, in: connection)?.size)
                }
            }
        } catch { throw WitnessError(error) }
    }

    /// The name under which a log's newest checkpoint is asked for.
    package static func hash(of origin: String) -> String { Digest(of: Array(origin.utf8)).hex }
}

/// Where a witness keeps what it has.
private struct Paths {
    let key: String
    let database: String

    init(folder: String) {
        key = folder + "/witness.key"
        database = folder + "/witness.sqlite"
    }
}

/// Why a witness was not made or opened, or could not answer.
package enum WitnessError: Error, Sendable, CustomStringConvertible {
    case badName
    case exists(String)
    case badKeyFile(String)
    case notALogKey
    case cannotSign
    case host(HostError)
    /// What the database could not do.
    case storage(String)

    /// The word for what was thrown underneath.
    init(_ error: any Error) {
        switch error {
        case let error as WitnessError: self = error
        case let error as HostError: self = .host(error)
        case TransactionError.notDone(let error as WitnessError): self = error
        default: self = .storage("\(error)")
        }
    }

    package var description: String {
        switch self {
        case .badName: "a witness's name must have neither spaces nor plus signs, such as witness.example/w1"
        case .exists(let folder): "there is a witness in \(folder) already"
        case .badKeyFile(let path): "\(path) is no witness's key: a line with its name and one with its seed"
        case .notALogKey: "this is no log's key (type 1); shirushi audit keys show prints it"
        case .cannotSign: "the library gave no signature"
        case .host(let error): "\(error)"
        case .storage(let fault): "the witness's database cannot be used: \(fault)"
        }
    }
}

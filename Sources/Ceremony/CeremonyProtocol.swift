import HPKI

/// What was done in a ceremony, as its officers sign it.
package struct CeremonyRecord: Sendable, Hashable, Codable {
    /// The kind of ceremony; the words stand in file names.
    package enum What: String, Sendable, Hashable, Codable, CaseIterable {
        /// The officers were registered and the first wrapping key was made.
        case initialise
        /// A new wrapping key was made, and the old one's value given to a rotation key.
        case epoch
        /// A wrapping key and its rotation key were destroyed.
        case retire
        /// Wrapping keys were put into another token.
        case restoreToken = "restore-token"
        /// The instance was made again from a backup.
        case restoreInstance = "restore-instance"
    }

    /// The token that a ceremony worked on.
    package struct Token: Sendable, Hashable, Codable {
        package let label: String
        package let serial: String
        /// The path of the PKCS#11 module.
        package let module: String
        /// The envelope that holds the security officer's PIN of this token.
        package let officerPIN: String

        /// A token of its parts.
        package init(label: String, serial: String, module: String, officerPIN: String) {
            self.label = label
            self.serial = serial
            self.module = module
            self.officerPIN = officerPIN
        }
    }

    /// What happened to one key of the token.
    package struct Key: Sendable, Hashable, Codable {
        /// What the key is for.
        package enum Role: String, Sendable, Hashable, Codable {
            case wrapping
            case rotation
        }

        /// What was done with it.
        package enum Act: String, Sendable, Hashable, Codable {
            case made
            case destroyed
        }

        package let act: Act
        package let role: Role
        package let epoch: Int
        package let kind: WrappingKeyKind
        package let label: String
        /// `CKA_ID`.
        package let id: HexBytes
        /// Nil where no one ever knew the value.
        package let checkValue: HexBytes?
    }

    /// An officer who was present.
    package struct Present: Sendable, Hashable, Codable {
        package let name: String
        package let fingerprint: HexBytes
    }

    package let version: Int
    /// Counts this instance's ceremonies from 1.
    package let number: Int
    /// SHA-256 of the protocol before this one; nil in the first.
    package let previous: HexBytes?
    package let what: What
    /// RFC 3339, UTC.
    package let time: String
    /// The name of the instance's audit log.
    package let instance: String
    /// The digest of the register in force.
    package let register: HexBytes
    package let officers: [Present]
    package let token: Token?
    package let keys: [Key]
    /// The envelopes that were written, with their check values where one was taken.
    package let envelopes: [String: HexBytes]
    /// The public key, P-256 uncompressed, under which this instance signs its backups.
    package let backupKey: HexBytes?
    /// The id of the backup that an instance was made from.
    package let archive: HexBytes?
}

/// Whether anyone can make a wrapping key again.
package enum WrappingKeyKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Its value came from outside and lies in an envelope: two officers can put it into another token.
    case imported
    /// Made inside the HSM and never seen: backed up by the HSM's own means, or not at all.
    case generated
}

/// A record with the signatures of the officers who were present.
package struct CeremonyProtocol: Sendable, Hashable, Codable {
    /// One officer's signature.
    package struct Signature: Sendable, Hashable, Codable {
        /// The officer's fingerprint.
        package let officer: HexBytes
        /// ECDSA on P-256 with SHA-256 over the record's text, r ‖ s.
        package let value: HexBytes
    }

    package let record: CeremonyRecord
    package let signatures: [Signature]

    /// Has every officer who is present sign the record.
    package init(_ record: CeremonyRecord, signedBy present: PresentOfficers) throws(CeremonyError) {
        let message = try Self.message(record)
        var signatures: [Signature] = []
        for officer in present.officers {
            signatures.append(
                Signature(officer: officer.identity.fingerprint, value: try officer.sign(message)))
        }
        self.record = record
        self.signatures = signatures
    }

    /// Reads a protocol and checks it against the register: every signature holds, and two officers or more signed.
    ///
    /// Throws `.damaged` and `.protocolRefused`.
    package init(_ bytes: [UInt8], at path: String, register: OfficerRegister) throws(CeremonyError) {
        self = try CustodyJSON.value(CeremonyProtocol.self, from: bytes, at: path)
        guard record.version == 1 else { throw .protocolRefused(path: path, what: "its version is unknown") }
        guard record.register == (try register.digest) else {
            throw .protocolRefused(path: path, what: "it was made under another register of officers")
        }
        let message = try Self.message(record)
        var signers: Set<HexBytes> = []
        for signature in signatures {
            guard let officer = register.officer(signature.officer) else {
                throw .protocolRefused(path: path, what: "someone signed who is not registered")
            }
            do { try officer.verify(signature.value.bytes, over: message) } catch {
                throw .protocolRefused(path: path, what: "the signature of \(officer.name) does not hold")
            }
            signers.insert(signature.officer)
        }
        guard signers.count >= 2 else { throw .protocolRefused(path: path, what: "two officers did not sign it") }
        let named = Set(record.officers.map(\.fingerprint))
        guard named == signers else {
            throw .protocolRefused(path: path, what: "it names other officers than those who signed")
        }
    }

    /// The file's text.
    package var bytes: [UInt8] {
        get throws(CeremonyError) { try CustodyJSON.bytes(self) }
    }

    private static func message(_ record: CeremonyRecord) throws(CeremonyError) -> [UInt8] {
        Array("shirushi/protocol/1\n".utf8) + (try CustodyJSON.bytes(record))
    }
}

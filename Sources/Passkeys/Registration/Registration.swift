internal import HPKI

/// A device's answer to the wish for a new credential (WebAuthn Level 3 §7.1).
package struct Registration: Sendable {
    /// What is known of the device's make.
    package enum Attestation: Sendable, Hashable {
        /// Nothing, as phones answer.
        case none
        /// The credential's own key signed: that it is there, and nothing of its make (§6.5.3).
        case ownKey
    }

    /// What is to be kept of a credential.
    package struct Verified: Sendable {
        package let credentialID: [UInt8]
        package let publicKey: COSEKey
        /// The COSE_Key as it stood.
        package let encodedKey: [UInt8]
        /// 16 bytes; zeros where the device does not say.
        package let aaguid: [UInt8]
        package let signCount: UInt32
        package let isBackupEligible: Bool
        package let isBackedUp: Bool
        package let attestation: Attestation
    }

    package let credentialID: [UInt8]
    package let clientDataJSON: [UInt8]
    package let attestationObject: [UInt8]

    /// A registration of its parts as the browser gave them, decoded.
    package init(credentialID: [UInt8], clientDataJSON: [UInt8], attestationObject: [UInt8]) {
        self.credentialID = credentialID
        self.clientDataJSON = clientDataJSON
        self.attestationObject = attestationObject
    }

    /// Judges it as an answer to `challenge`; throws `.refused` with what is wrong, or what cannot be read of it.
    ///
    /// Whether another credential has the same id is for whoever keeps it to say.
    package func verify(
        for relyingParty: RelyingParty, challenge: [UInt8], algorithms: Set<COSEKey.Algorithm>
    ) throws(PasskeyError) -> Verified {
        guard attestationObject.count <= 65_536 else { throw .attestation("the object is longer than 65536 bytes") }
        let client = try CollectedClientData(clientDataJSON)
        let object = try CBORReader.value(attestationObject)
        guard case .map(let members) = object, members.count == 3, let format = object["fmt"]?.text,
            let statement = object["attStmt"], case .map(let parts) = statement,
            let encoded = object["authData"]?.bytes
        else { throw .attestation("the object is not fmt, attStmt and authData") }
        let data = try AuthenticatorData(encoded)
        try Ceremony(relyingParty: relyingParty, challenge: challenge).check(client, .create, data)
        guard let made = data.credential else { throw .authenticatorData("no credential was made") }
        guard made.credentialID == credentialID else { throw .refused(.credential) }
        guard algorithms.contains(made.publicKey.algorithm) else {
            throw .algorithm(made.publicKey.algorithm.rawValue)
        }
        let attestation: Attestation
        switch format {
        case "none":
            guard parts.isEmpty else { throw .attestation("a statement of none is not empty") }
            attestation = .none
        case "packed":
            try Self.packed(statement, parts.count, by: made.publicKey, over: encoded + client.hash.bytes)
            attestation = .ownKey
        default: throw .attestation("its format is not judged here")
        }
        return Verified(
            credentialID: made.credentialID, publicKey: made.publicKey, encodedKey: made.encodedKey,
            aaguid: made.aaguid, signCount: data.signCount, isBackupEligible: data.isBackupEligible,
            isBackedUp: data.isBackedUp, attestation: attestation)
    }

    /// Packed attestation by the credential's own key (WebAuthn Level 3 §8.2).
    private static func packed(
        _ statement: CBORValue, _ count: Int, by key: COSEKey, over signed: [UInt8]
    ) throws(PasskeyError) {
        guard statement["x5c"] == nil else { throw .attestation("certificates of makers are not judged here") }
        guard count == 2, let algorithm = statement["alg"]?.integer, let signature = statement["sig"]?.bytes else {
            throw .attestation("a packed statement is not alg and sig")
        }
        guard algorithm == key.algorithm.rawValue else { throw .attestation("alg is not the credential's") }
        try key.verify(signature, over: signed)
    }
}

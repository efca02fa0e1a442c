internal import HPKI

/// A device's proof that it has a credential's key, and that its user opened it (WebAuthn Level 3 §7.2).
package struct Assertion: Sendable {
    /// What is kept of a credential.
    package struct Credential: Sendable {
        package let id: [UInt8]
        package let publicKey: COSEKey
        package let signCount: UInt32
        package let isBackupEligible: Bool

        /// What was kept at the registration, and the counter of the last use.
        package init(id: [UInt8], publicKey: COSEKey, signCount: UInt32, isBackupEligible: Bool) {
            self.id = id
            self.publicKey = publicKey
            self.signCount = signCount
            self.isBackupEligible = isBackupEligible
        }
    }

    /// What is to be kept after a use.
    package struct Verified: Sendable, Hashable {
        package let signCount: UInt32
        package let isBackedUp: Bool
    }

    package let credentialID: [UInt8]
    package let clientDataJSON: [UInt8]
    package let authenticatorData: [UInt8]
    package let signature: [UInt8]

    /// An assertion of its parts as the browser gave them, decoded.
    package init(credentialID: [UInt8], clientDataJSON: [UInt8], authenticatorData: [UInt8], signature: [UInt8]) {
        self.credentialID = credentialID
        self.clientDataJSON = clientDataJSON
        self.authenticatorData = authenticatorData
        self.signature = signature
    }

    /// Judges it as an answer to `challenge` by that credential; throws `.refused` with what is wrong, or what cannot be
    /// read of it.
    ///
    /// A counter that did not move on is refused after the signature held: there are two copies of the key then.
    package func verify(
        for relyingParty: RelyingParty, challenge: [UInt8], by credential: Credential
    ) throws(PasskeyError) -> Verified {
        guard credentialID == credential.id else { throw .refused(.credential) }
        let client = try CollectedClientData(clientDataJSON)
        let data = try AuthenticatorData(authenticatorData)
        try Ceremony(relyingParty: relyingParty, challenge: challenge).check(client, .get, data)
        guard data.credential == nil else { throw .authenticatorData("an assertion brings a new credential") }
        guard data.isBackupEligible == credential.isBackupEligible else { throw .refused(.backupEligibility) }
        try credential.publicKey.verify(signature, over: data.bytes + client.hash.bytes)
        let hasCounter = data.signCount != 0 || credential.signCount != 0
        guard !hasCounter || data.signCount > credential.signCount else { throw .refused(.signCount) }
        return Verified(signCount: data.signCount, isBackedUp: data.isBackedUp)
    }
}

internal import HPKI

/// What a registration and an assertion must both hold (WebAuthn Level 3 §7.1 and §7.2).
struct Ceremony: Sendable {
    let relyingParty: RelyingParty
    let challenge: [UInt8]

    /// Throws `.refused` with the first rule that the browser's and the device's words break.
    func check(
        _ client: CollectedClientData, _ ceremony: CollectedClientData.Ceremony, _ data: AuthenticatorData
    ) throws(PasskeyError) {
        guard client.ceremony == ceremony else { throw .refused(.ceremony) }
        // By their digests, so that the time tells nothing of where they differ.
        guard Digest(of: client.challenge) == Digest(of: challenge) else { throw .refused(.challenge) }
        guard relyingParty.origins.contains(client.origin) else { throw .refused(.origin) }
        // None of our pages stands in another's frame.
        guard !client.isCrossOrigin, client.topOrigin == nil else { throw .refused(.crossOrigin) }
        guard data.rpIDHash == Digest(of: Array(relyingParty.id.utf8)).bytes else {
            throw .refused(.relyingParty)
        }
        guard data.isUserPresent else { throw .refused(.userPresence) }
        guard data.isUserVerified else { throw .refused(.userVerification) }
    }
}

package import HPKI
import JOSE
import Synchronization

/// Judges proofs that a client has the key that a token is bound to: DPoP (RFC 9449) and mutual TLS (RFC 8705).
///
/// Every proof carries a nonce of ours and is good once; both are forgotten with the process, which costs a client one
/// more round trip.
package final class PossessionGate: Sendable {
    /// Seconds that one nonce is given out; it is taken for as long again.
    private static let periodSeconds: Int64 = 120
    /// Seconds by which a client's clock may be wrong.
    private static let skewSeconds: Int64 = 300
    /// Proofs remembered in one period.
    private static let limit = 500_000

    private let clock: WallClock
    private let secret: [UInt8]
    // INVARIANT: `seen` holds the proofs of the period `period` and `before` those of the one before it.
    private let state = Mutex(State())

    private struct State {
        var period: Int64 = 0
        var seen: Set<ProofName> = []
        var before: Set<ProofName> = []
    }

    /// The first 128 bits of SHA-256 over a proof's key and `jti`.
    private struct ProofName: Hashable {
        let high: UInt64
        let low: UInt64
    }

    /// A gate that has seen no proof.
    package init(clock: WallClock, random: Random) {
        self.clock = clock
        secret = random.bytes(32)
    }

    /// The nonce that proofs must have now (RFC 9449 §8).
    package var nonce: String { nonce(ofPeriod: clock.now().seconds / Self.periodSeconds) }

    private func nonce(ofPeriod period: Int64) -> String {
        var writer = WireWriter(capacity: 64)
        writer.raw(secret)
        writer.integer(period)
        return Base64URL.encode(Array(Digest(of: writer.bytes).bytes.prefix(16)))
    }

    /// Throws unless the request proves what the token is bound to.
    ///
    /// A bearer token shown by the scheme `DPoP`, and a bound one shown without its proof, are refused (RFC 9449 §7.1).
    package func check(_ presented: PresentedToken, boundTo binding: TokenBinding?) async throws(IdentityError) {
        switch binding {
        case nil:
            guard presented.possession?.isDPoP != true else { throw .notPossessed("it is not bound to a DPoP key") }
        case .certificate(let thumbprint):
            guard presented.possession?.isDPoP != true else { throw .notPossessed("it is not bound to a DPoP key") }
            guard let certificate = presented.possession?.certificate else {
                throw .notPossessed("it is bound to a client certificate, and the connection has none")
            }
            guard Base64URL.encode(certificate.bytes) == thumbprint else {
                throw .notPossessed("it is bound to another client certificate")
            }
        case .key(let thumbprint):
            guard let possession = presented.possession, possession.isDPoP else {
                throw .notPossessed("it is bound to a DPoP key; show it by the scheme DPoP with a proof")
            }
            guard try await key(of: possession, with: presented.text) == thumbprint else {
                throw .notPossessed("the proof is by another key than the token's")
            }
        }
    }

    /// The thumbprint of the key that a request proves to have; `token` is the access token that comes with it.
    ///
    /// Throws `.notPossessed`, `.nonceNeeded` or `.tooManyProofs` (RFC 9449 §4.3).
    package func key(
        of possession: PresentedToken.Possession, with token: String?
    ) async throws(IdentityError) -> String {
        guard let compact = possession.proof else { throw .notPossessed("there is no DPoP proof, or more than one") }
        let proof: DPoPProof
        do { proof = try await DPoPProof(verifying: compact) } catch {
            throw .notPossessed("the DPoP proof does not hold: \(error)")
        }
        guard proof.matches(method: possession.method, uri: possession.url) else {
            throw .notPossessed("the DPoP proof is for another request")
        }
        if let token {
            guard proof.accessTokenHash == Base64URL.encode(Digest(of: Array(token.utf8)).bytes) else {
                throw .notPossessed("the DPoP proof is for another token (ath)")
            }
        }
        let now = clock.now()
        guard abs(now.seconds.subtractingReportingOverflow(proof.issuedAt.seconds).partialValue) <= Self.skewSeconds
        else { throw .notPossessed("the DPoP proof is not of now (iat)") }
        let period = now.seconds / Self.periodSeconds
        guard let nonce = proof.nonce, [period, period - 1].contains(where: { self.nonce(ofPeriod: $0) == nonce })
        else { throw .nonceNeeded(self.nonce(ofPeriod: period)) }
        try remember(proof, in: period)
        return proof.thumbprint
    }

    private func remember(_ proof: DPoPProof, in period: Int64) throws(IdentityError) {
        var writer = WireWriter(capacity: 128)
        writer.text(proof.thumbprint)
        writer.text(proof.jti)
        var reader = WireReader(Digest(of: writer.bytes).bytes)
        guard let high = try? reader.integer(UInt64.self), let low = try? reader.integer(UInt64.self) else {
            throw .tooManyProofs
        }
        let name = ProofName(high: high, low: low)
        let fault: IdentityError? = state.withLock { state in
            // A thread that read the clock before the turn, or a clock that goes back, must not empty the memory.
            if period > state.period {
                // A proof of two periods ago has a nonce that is no longer taken.
                state.before = period == state.period + 1 ? state.seen : []
                state.seen = []
                state.period = period
            }
            guard !state.before.contains(name), !state.seen.contains(name) else {
                return .notPossessed("the DPoP proof was used before (jti)")
            }
            guard state.seen.count < Self.limit else { return .tooManyProofs }
            state.seen.insert(name)
            return nil
        }
        if let fault { throw fault }
    }
}

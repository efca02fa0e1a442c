package import Certificates
import Formats
package import HPKI
package import Outbound
import Synchronization

/// A time stamp that was asked for and held when it came.
package struct TimeStamp: Sendable {
    /// The TimeStampToken in DER.
    package let token: [UInt8]
    /// What it proves.
    package let time: ProvenTime
    /// The authority's name in the configuration.
    package let authority: String

    /// The stated time.
    package var stated: Instant { time.time }
    /// The subject of the certificate that signed.
    package var signer: String { time.chain.first?.subject.text ?? authority }
    /// The policy, dotted.
    package var policy: String { time.info.policy }
    /// In hexadecimal digits; unique for one authority.
    package var serialNumber: String { Hex.encode(time.info.serialNumber) }
    /// By how much the time may be off, either way; nil where the authority does not say.
    package var accuracyMicroseconds: Int64? { time.info.accuracyMicroseconds }
}

/// Which authorities are asked for time stamps, and what they must promise.
package struct TimeStampSettings: Sendable, Hashable {
    /// One authority.
    package struct Authority: Sendable, Hashable {
        /// For people.
        package var name: String
        package var url: String
        /// The policies, dotted, of which its time stamps must have one; empty for any.
        package var policies: Set<String>
        /// Seconds that it may take for an answer.
        package var timeoutSeconds: Int

        /// An authority with all its fields.
        package init(name: String, url: String, policies: Set<String> = [], timeoutSeconds: Int = 5) {
            self.name = name
            self.url = url
            self.policies = policies
            self.timeoutSeconds = timeoutSeconds
        }
    }

    /// In the order in which they are asked.
    package var authorities: [Authority]
    /// The accuracy that every time stamp must promise, in microseconds; nil for none.
    package var maximumAccuracyMicroseconds: Int64?
    /// Seconds for which an authority that failed is asked last.
    package var restSeconds: Int64 = 30

    /// Settings with these authorities.
    package init(authorities: [Authority] = [], maximumAccuracyMicroseconds: Int64? = nil) {
        self.authorities = authorities
        self.maximumAccuracyMicroseconds = maximumAccuracyMicroseconds
    }
}

/// Asks authorities for time stamps and believes none that does not hold (RFC 3161).
///
/// Nothing here reads a time off our own clock and calls it proven: without an authority there is no time stamp.
package struct TimeStampClient: Sendable {
    private let settings: TimeStampSettings
    private let realm: @Sendable () -> TrustRealm
    private let revocation: RevocationData
    private let outbound: Outbound
    private let clock: WallClock
    private let random: Random
    private let report: @Sendable (TimeStampAttempt) -> Void
    private let standing = Standing()

    /// A client; `realm` gives the anchors of time-stamping authorities, and `report` is told of every failure.
    package init(
        _ settings: TimeStampSettings, realm: @escaping @Sendable () -> TrustRealm, revocation: RevocationData,
        outbound: Outbound, clock: WallClock, random: Random, report: @escaping @Sendable (TimeStampAttempt) -> Void
    ) {
        self.settings = settings
        self.realm = realm
        self.revocation = revocation
        self.outbound = outbound
        self.clock = clock
        self.random = random
        self.report = report
    }

    /// Whether there is anybody to ask.
    package var hasAuthority: Bool { !settings.authorities.isEmpty }

    /// A time stamp over data with this digest, by the first authority that gives one that holds.
    ///
    /// Throws `.noAuthority`, `.policyNotOffered` and `.timeStampUnavailable`.
    package func stamp(_ imprint: Digest, policy: String? = nil) async throws(EvidenceError) -> TimeStamp {
        guard !settings.authorities.isEmpty else { throw .noAuthority }
        let fitting = settings.authorities.filter { authority in
            policy.map { authority.policies.isEmpty || authority.policies.contains($0) } ?? true
        }
        var attempts: [TimeStampAttempt] = []
        for authority in standing.order(fitting, at: clock.now()) {
            do throws(TimeStampAttempt) {
                return try await ask(authority, imprint, policy)
            } catch {
                report(error)
                attempts.append(error)
                guard !error.isAboutPolicy else { continue }
                standing.rest(authority.name, until: clock.now().adding(seconds: settings.restSeconds))
            }
        }
        if let policy, attempts.allSatisfy(\.isAboutPolicy) { throw .policyNotOffered(policy) }
        throw .timeStampUnavailable(attempts)
    }

    private func ask(
        _ authority: TimeStampSettings.Authority, _ imprint: Digest, _ policy: String?
    ) async throws(TimeStampAttempt) -> TimeStamp {
        func failed(_ problem: String, isAboutPolicy: Bool = false) -> TimeStampAttempt {
            TimeStampAttempt(authority: authority.name, problem: problem, isAboutPolicy: isAboutPolicy)
        }
        let request = TimeStampRequest(for: imprint, policy: policy, random: random)
        let message = OutboundRequest(
            authority.url, method: "POST",
            headers: [
                OutboundHeader("Content-Type", "application/timestamp-query"),
                OutboundHeader("Accept", "application/timestamp-reply"),
            ],
            body: request.der, limit: TimeStampToken.byteLimit, timeoutSeconds: authority.timeoutSeconds)
        let body: [UInt8]
        do throws(Problem) {
            body = try await outbound.body(of: message, type: "application/timestamp-reply")
        } catch {
            throw failed(error.text)
        }
        do throws(TimeStampFault) {
            let token = try TimeStampResponse(der: body).token
            let time = try await judge(token, for: request.expectation, authority).provenTime()
            return TimeStamp(token: token.der, time: time, authority: authority.name)
        } catch {
            if case .notGranted(let refusal) = error, policy != nil, refusal.failures == ["unacceptedPolicy"] {
                throw failed(error.explanation, isAboutPolicy: true)
            }
            throw failed(error.explanation)
        }
    }

    /// Judges a token with all that is known now of the revocation of its signer.
    private func judge(
        _ token: TimeStampToken, for expected: TimeStampExpectation, _ authority: TimeStampSettings.Authority
    ) async -> TimeStampJudgement {
        let realm = realm()
        let now = clock.now()
        var requirements = TimeStampRequirements(trust: realm.trust, crls: realm.crls, at: now)
        requirements.acceptablePolicies = authority.policies
        requirements.maximumAccuracyMicroseconds = settings.maximumAccuracyMicroseconds
        // First without the network: a token that is no good whatever lists say makes nobody ask for any.
        let first = token.judge(for: expected, requirements)
        guard case .indeterminate(.certificate) = first else { return first }
        for signer in token.certificates where signer.extensions.extendedKeyUsages == [OID.timeStamping] {
            guard
                let proof = try? await revocation.proof(
                    for: signer, intermediates: token.certificates, at: now, in: [realm])
            else { continue }
            for found in proof.found {
                switch found {
                case .list(let list):
                    requirements.crls = (try? requirements.crls.adding(list, issuers: proof.chain)) ?? requirements.crls
                case .answer(let answer): requirements.ocsp.append(answer)
                }
            }
        }
        return token.judge(for: expected, requirements)
    }
}

extension TimeStampAttempt: Error {}

/// Which authorities failed a short while ago, so that a dead one does not cost every request its time-out.
private final class Standing: Sendable {
    private let resting = Mutex<[String: Instant]>([:])

    func rest(_ name: String, until instant: Instant) {
        resting.withLock { $0[name] = instant }
    }

    /// The authorities as configured, those that rest behind the others.
    func order(
        _ authorities: [TimeStampSettings.Authority], at now: Instant
    ) -> [TimeStampSettings.Authority] {
        let resting = resting.withLock { $0 }
        func rests(_ authority: TimeStampSettings.Authority) -> Bool {
            resting[authority.name].map { now < $0 } ?? false
        }
        return authorities.filter { !rests($0) } + authorities.filter(rests)
    }
}

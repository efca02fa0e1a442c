import Certificates
import Development
import Evidence
import Foundation
import HPKI
import Host
import Outbound
import Synchronization

/// A moment in the middle of the development certificates' lives.
let noon = Instant(seconds: 1_790_000_000)
let random = Random { count in [UInt8](repeating: 0x5A, count: count) }
let outbound = Result { try Outbound(rules: OutboundRules(allowPrivateAddresses: true, allowHTTP: true)) }
private let made = Result { try DevelopmentPKI.create(random: random, now: noon.adding(seconds: -86_400)) }

/// A clock that a test may move.
final class MovedClock: Sendable {
    private let moment: Mutex<Instant>

    init(_ instant: Instant = noon) { moment = Mutex(instant) }

    var clock: WallClock { WallClock { self.moment.withLock { $0 } } }
    func move(seconds: Int64) { moment.withLock { $0 = $0.adding(seconds: seconds) } }
}

/// A folder that goes with its owner.
final class Scratch: Sendable {
    let folder: String

    init() throws {
        folder = "/tmp/shirushi-\(UUID())"
        try Files.makeFolder(folder)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}

/// A development time-stamping authority with its list, and a client that trusts it.
struct StampScene {
    var authority: DevelopmentTimeStampAuthority
    let scratch = try? Scratch()
    let problems = Problems()

    /// What a client reported.
    final class Problems: Sendable {
        let all = Mutex<[TimeStampAttempt]>([])
    }

    init() throws {
        authority = try made.get().timeStampAuthority(now: noon.adding(seconds: -86_400))
    }

    /// Trust in the authority above the one for time stamps, with its list.
    func realm(listAt: Instant? = noon.adding(seconds: -3600)) throws -> TrustRealm {
        var copy = authority
        let trust = TrustStore(anchors: [authority.authorityCertificate])
        guard let listAt else { return TrustRealm(trust: trust, crls: CRLStore()) }
        return TrustRealm(
            trust: trust, crls: try CRLStore().adding(try copy.crl(now: listAt), issuers: trust.anchors))
    }

    /// A client of authorities at these addresses.
    func client(
        _ urls: [String], policies: Set<String> = [], timeoutSeconds: Int = 60, accuracy: Int64? = nil,
        realm: TrustRealm? = nil, clock: WallClock = .fixed(noon)
    ) throws -> TimeStampClient {
        let realm = try realm ?? self.realm()
        let authorities = urls.enumerated().map {
            TimeStampSettings.Authority(
                name: "tsa-\($0.offset)", url: $0.element, policies: policies, timeoutSeconds: timeoutSeconds)
        }
        let problems = problems
        return TimeStampClient(
            TimeStampSettings(authorities: authorities, maximumAccuracyMicroseconds: accuracy), realm: { realm },
            revocation: RevocationData(
                RevocationSettings(folder: scratch?.folder ?? "/nonexistent"), realms: { [realm] },
                outbound: try outbound.get(), clock: clock, random: random),
            outbound: try outbound.get(), clock: clock, random: random,
            report: { attempt in problems.all.withLock { $0.append(attempt) } })
    }

    /// The answer to a request, as the authority gives it.
    func answer(_ request: [UInt8], at instant: Instant = noon) -> TinyAuthority.Reply {
        .bytes(authority.answer(request, random: random, now: instant), type: "application/timestamp-reply")
    }

    /// The nonce's contents octets that a client with the tests' randomness sends.
    static let nonce = [UInt8](repeating: 0x5A, count: 16)

    /// A granted answer around a token that the test spoilt.
    func granted(
        imprint: Digest, nonce: [UInt8]? = nonce, certificate: HPKICertificate? = nil, key: DevelopmentKey? = nil,
        at instant: Instant = noon
    ) throws -> TinyAuthority.Reply {
        let token = try TimeStampTokenTemplate(
            info: authority.info(imprint: imprint, nonce: nonce, random: random, now: instant),
            certificate: certificate ?? authority.certificate
        ).signed(by: key ?? authority.key)
        return .bytes(
            DER.sequence(DER.sequence(DER.integer(0)), token), type: "application/timestamp-reply")
    }
}

extension StampScene {
    /// What a client says that may ask public addresses alone.
    func refusedPrivately(_ imprint: Digest) async throws -> String {
        let realm = try realm()
        let closed = try Outbound(rules: OutboundRules(allowHTTP: true))
        let client = TimeStampClient(
            TimeStampSettings(authorities: [.init(name: "tsa", url: "http://127.0.0.1:1/")]), realm: { realm },
            revocation: RevocationData(
                RevocationSettings(folder: "/nonexistent"), realms: { [realm] }, outbound: closed,
                clock: .fixed(noon), random: random),
            outbound: closed, clock: .fixed(noon), random: random, report: { _ in })
        do throws(EvidenceError) {
            _ = try await client.stamp(imprint)
            return ""
        } catch {
            return error.description
        }
    }
}

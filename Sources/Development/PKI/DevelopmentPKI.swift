package import Certificates
internal import Foundation
package import HPKI

/// Why the development authorities could not do what was asked.
package enum DevelopmentPKIError: Error, Sendable, Hashable {
    /// The cryptographic library refused.
    case cryptography
    /// The saved state is not one that `serialized` made.
    case unreadableState
    /// What was made does not read back as a certificate; the reader's reason is inside.
    case badCertificate(CertificateError)
    /// The authority has issued no certificate with this serial number, or has revoked it already.
    case unknownSerial
    /// The certification request is malformed, or not signed by the key in it.
    case badRequest(CertificationRequestError)
}

/// A root, three signing authorities and a TLS authority in software, shaped like the real ones and named apart.
///
/// For demonstrations and tests: every name says DEVELOPMENT, and the keys are in `serialized`. The certificates
/// follow the profile seen in HPKI certificates: their fields, extensions, order and lifetimes.
package struct DevelopmentPKI: Sendable {
    /// The signing authorities, each in the manner of one of the three that exist.
    package enum Authority: String, Sendable, Hashable, CaseIterable, Codable {
        case jma
        case medis
        case jpa

        var title: String {
            switch self {
            case .jma: "JMA"
            case .medis: "MEDIS"
            case .jpa: "JPA"
            }
        }
    }

    /// Which key of an authority that has changed it and kept its name.
    package enum Generation: String, Sendable, Hashable, CaseIterable {
        case old
        case new
    }

    /// Addresses that the certificates carry.
    package struct Settings: Sendable, Hashable, Codable {
        /// Where CRLs are published, without a slash at the end.
        package var repository: String

        /// Settings; by default an address that no network resolves.
        package init(repository: String = "http://repository.development.invalid") {
            self.repository = repository
        }
    }

    /// A word in the name of every authority made here, by which a production instance refuses it.
    package static let mark = "DEVELOPMENT"

    package let settings: Settings
    var rootAuthority: DevelopmentAuthority
    private var authorities: [Authority: DevelopmentAuthority]
    private var serverAuthority: DevelopmentAuthority
    /// Those that issue cards for logging in; empty until `addAuthentication`.
    var cardAuthorities: [CardIssuer: DevelopmentAuthority] = [:]

    /// Makes all keys and the authorities' certificates, valid from today's midnight in Japan.
    package static func create(
        settings: Settings = Settings(), random: Random, now: Instant
    ) throws(DevelopmentPKIError) -> DevelopmentPKI {
        let root = try makeRoot(settings, now: now)
        var authorities: [Authority: DevelopmentAuthority] = [:]
        for (index, authority) in Authority.allCases.enumerated() {
            authorities[authority] = try make(
                authority, serial: UInt64(2 + index), under: root, settings: settings, now: now)
        }
        return DevelopmentPKI(
            settings: settings, rootAuthority: root, authorities: authorities,
            serverAuthority: try makeServerAuthority(random: random, now: now))
    }

    private init(
        settings: Settings, rootAuthority: DevelopmentAuthority, authorities: [Authority: DevelopmentAuthority],
        serverAuthority: DevelopmentAuthority
    ) {
        self.settings = settings
        self.rootAuthority = rootAuthority
        self.authorities = authorities
        self.serverAuthority = serverAuthority
    }

    /// The root's certificate, the anchor of everything but TLS.
    package var root: HPKICertificate { rootAuthority.certificate }

    /// The certificate of a signing authority.
    package func certificate(of authority: Authority) throws(DevelopmentPKIError) -> HPKICertificate {
        try book(of: authority).certificate
    }

    /// The key of a signing authority, with which tests make bad certificates.
    package func key(of authority: Authority) throws(DevelopmentPKIError) -> DevelopmentKey {
        try book(of: authority).key
    }

    /// The key of the root, with which tests make bad authorities.
    package var rootKey: DevelopmentKey { rootAuthority.key }

    /// The root as anchor, the signing authorities below it.
    package var trustStore: TrustStore {
        TrustStore(
            anchors: [root],
            intermediates: Authority.allCases.compactMap { authorities[$0]?.certificate })
    }

    /// Issues a signing certificate for the key of a PKCS#10 request (DER or PEM), whose own signature must hold.
    ///
    /// Subject and roles come from `profile`, as the authority knows the holder. Throws `.badRequest`.
    package mutating func issue(
        request: [UInt8], profile: HolderProfile, by authority: Authority, now: Instant, years: Int = 5
    ) throws(DevelopmentPKIError) -> HPKICertificate {
        let key: [UInt8]
        do throws(CertificationRequestError) {
            key = try ProvenCertificationRequest.read(file: request).publicKey.subjectPublicKeyInfo
        } catch {
            throw .badRequest(error)
        }
        return try issue(profile, publicKey: key, by: authority, now: now, years: years)
    }

    /// Issues a signing certificate for a holder's public key (SubjectPublicKeyInfo in DER), valid from today's midnight
    /// in Japan.
    package mutating func issue(
        _ profile: HolderProfile, publicKey: [UInt8], by authority: Authority, now: Instant, years: Int = 5
    ) throws(DevelopmentPKIError) -> HPKICertificate {
        var book = try book(of: authority)
        let template = try self.template(profile, publicKey: publicKey, by: authority, now: now, years: years)
        let certificate = try Self.read(try template.signed(by: book.key))
        book.nextSerial += 1
        authorities[authority] = book
        return certificate
    }

    /// What `issue` would sign, for tests that change a field first; no serial number is used up.
    package func template(
        _ profile: HolderProfile, publicKey: [UInt8], by authority: Authority, now: Instant, years: Int = 5
    ) throws(DevelopmentPKIError) -> CertificateTemplate {
        let book = try book(of: authority)
        let key: VerificationKey
        do {
            key = try VerificationKey(subjectPublicKeyInfo: publicKey)
        } catch {
            throw .badCertificate(error)
        }
        let validity = Self.validity(from: now, years: years)
        let statement = settings.repository + "/policy/"
        return CertificateTemplate(
            serialNumber: Self.octets(book.nextSerial), issuer: book.certificate.subject.der,
            subject: profile.subject, notBefore: validity.from, notAfter: validity.to, publicKey: publicKey,
            extensions: [
                Extensions.authorityKeyIdentifier(of: book.certificate),
                Extensions.subjectKeyIdentifier(key.keyIdentifier),
                Extensions.keyUsage(.nonRepudiation),
                Extensions.subjectAltName(directoryName: profile.alternativeName),
                Extensions.distributionPoints(uri: "\(settings.repository)/\(Self.listName(authority))"),
            ] + (profile.roles.isEmpty ? [] : [Extensions.roles(profile.roles)]) + [
                Extensions.policy(OID.hpkiSigningPolicy, statement: statement)
            ])
    }

    /// Revokes a holder's certificate; the next list has it.
    ///
    /// Throws `.unknownSerial`.
    package mutating func revoke(
        serial: [UInt8], of authority: Authority, reason: RevocationReason?, at instant: Instant
    ) throws(DevelopmentPKIError) {
        var book = try book(of: authority)
        guard Self.mayRevoke(serial, in: book, first: Self.firstHolderSerial) else { throw .unknownSerial }
        book.revoked.append(.init(serialNumber: serial, revokedAt: instant.wholeSecond, reason: reason))
        authorities[authority] = book
    }

    /// Revokes a signing authority itself; the root's next list has it.
    package mutating func revoke(
        _ authority: Authority, reason: RevocationReason?, at instant: Instant
    ) throws(DevelopmentPKIError) {
        let serial = try certificate(of: authority).serialNumber
        guard !rootAuthority.revoked.contains(where: { $0.serialNumber == serial }) else { throw .unknownSerial }
        rootAuthority.revoked.append(.init(serialNumber: serial, revokedAt: instant.wholeSecond, reason: reason))
    }

    /// The current list of every authority in DER, by file name; each call numbers its lists one higher.
    package mutating func crls(now: Instant) throws(DevelopmentPKIError) -> [String: [UInt8]] {
        var lists: [String: [UInt8]] = [:]
        // Like the real root: one list for the authorities below it, one for its own certificate.
        for (name, place) in [(Self.rootListName, Self.listPlace("SARL")), (Self.ownListName, Self.listPlace("RARL"))] {
            lists[name] = try rootAuthority.list(
                now: now, scope: Extensions.onlyContainsCACerts(directoryName: place))
        }
        for authority in Authority.allCases {
            var book = try book(of: authority)
            lists[Self.listName(authority)] = try book.list(now: now)
            authorities[authority] = book
        }
        return lists
    }

    /// A certificate for `localhost`, `hpki.localhost`, `jpki.localhost` and 127.0.0.1 on a fresh P-256 key, valid for 397 days.
    package func serverCertificate(random: Random, now: Instant) throws(DevelopmentPKIError) -> ServerCertificate {
        try ServerCertificate(under: serverAuthority, random: random, now: now)
    }

    /// A client's certificate for TLS on a fresh P-256 key, by which `authority` shows who it is; valid for 397 days.
    package func clientCertificate(
        of authority: Authority, random: Random, now: Instant
    ) throws(DevelopmentPKIError) -> ClientCertificate {
        try ClientCertificate(of: authority, under: serverAuthority, random: random, now: now)
    }

    /// A time-stamping authority with fresh keys below the root, valid from today's midnight in Japan.
    package func timeStampAuthority(now: Instant) throws(DevelopmentPKIError) -> DevelopmentTimeStampAuthority {
        try DevelopmentTimeStampAuthority(under: rootAuthority, settings: settings, now: now)
    }

    private func book(of authority: Authority) throws(DevelopmentPKIError) -> DevelopmentAuthority {
        guard let book = authorities[authority] else { throw .unreadableState }
        return book
    }

    static func mayRevoke(_ serial: [UInt8], in book: DevelopmentAuthority, first: UInt64) -> Bool {
        let magnitude = serial.drop { $0 == 0 }
        guard magnitude.count <= 7 else { return false }
        let number = magnitude.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (first..<book.nextSerial).contains(number)
            && !book.revoked.contains { $0.serialNumber.drop { $0 == 0 } == magnitude }
    }
}

// MARK: State

extension DevelopmentPKI {
    private struct State: Codable {
        let settings: Settings
        let root: DevelopmentAuthorityState
        let authorities: [String: DevelopmentAuthorityState]
        let server: DevelopmentAuthorityState
        /// Absent in states of instances that were made before there were such authorities.
        let cards: [String: DevelopmentAuthorityState]?
    }

    /// Everything, private keys included, as JSON; the caller keeps it in a file that only the owner can read.
    package func serialized() throws(DevelopmentPKIError) -> [UInt8] {
        var books: [String: DevelopmentAuthorityState] = [:]
        for (authority, book) in authorities { books[authority.rawValue] = DevelopmentAuthorityState(book) }
        var cards: [String: DevelopmentAuthorityState] = [:]
        for (issuer, book) in cardAuthorities { cards[issuer.name] = DevelopmentAuthorityState(book) }
        let state = State(
            settings: settings, root: DevelopmentAuthorityState(rootAuthority), authorities: books,
            server: DevelopmentAuthorityState(serverAuthority), cards: cards.isEmpty ? nil : cards)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(state) else { throw .unreadableState }
        return Array(data)
    }

    /// Takes up what `serialized` gave; throws `.unreadableState`.
    package init(restoring state: [UInt8]) throws(DevelopmentPKIError) {
        guard let state = try? JSONDecoder().decode(State.self, from: Data(state)) else { throw .unreadableState }
        var books: [Authority: DevelopmentAuthority] = [:]
        for authority in Authority.allCases {
            guard let saved = state.authorities[authority.rawValue] else { throw .unreadableState }
            books[authority] = try saved.restored()
        }
        self.init(
            settings: state.settings, rootAuthority: try state.root.restored(), authorities: books,
            serverAuthority: try state.server.restored())
        guard let cards = state.cards else { return }
        for issuer in CardIssuer.all {
            guard let saved = cards[issuer.name] else { throw .unreadableState }
            cardAuthorities[issuer] = try saved.restored()
        }
    }
}

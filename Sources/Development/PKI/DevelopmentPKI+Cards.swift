package import Certificates
package import HPKI

// Cards for logging in: HPKI authentication certificates, and those of cards like the My Number card.
extension DevelopmentPKI {
    /// The folder of an instance that a revocation list belongs in.
    package enum ListFolder: Sendable, Hashable, CaseIterable {
        /// Those of signing certificates.
        case signing
        /// Those of HPKI cards for logging in.
        case hpki
        /// Those of cards like the My Number card.
        case jpki
    }

    /// Of the root's serial numbers, the first that such an authority gets; signing and time stamps have those before.
    private static let firstCardAuthoritySerial: UInt64 = 6

    /// False in an instance made before there were authorities for logging in.
    package var hasAuthentication: Bool { !cardAuthorities.isEmpty }

    /// Makes the authorities for logging in, each in two generations under one name; does nothing where there are any.
    package mutating func addAuthentication(random: Random, now: Instant) async throws(DevelopmentPKIError) {
        guard !hasAuthentication else { return }
        let keys = try await DevelopmentKey.rsa2048(count: CardIssuer.all.count)
        var serial = Self.firstCardAuthoritySerial
        var made: [CardIssuer: DevelopmentAuthority] = [:]
        for (issuer, key) in zip(CardIssuer.all, keys) {
            let number = issuer.kind == .jpki ? Self.randomSerial(random) : Self.octets(serial)
            if issuer.kind != .jpki { serial += 1 }
            made[issuer] = try issuer.make(
                key: key, serial: number, under: rootAuthority, repository: settings.repository, now: now)
        }
        cardAuthorities = made
    }

    /// The certificate of an authority for logging in; throws `.unreadableState` where there are none.
    package func certificate(of issuer: CardIssuer) throws(DevelopmentPKIError) -> HPKICertificate {
        try book(of: issuer).certificate
    }

    /// The key of an authority for logging in, with which tests make bad certificates.
    package func key(of issuer: CardIssuer) throws(DevelopmentPKIError) -> DevelopmentKey { try book(of: issuer).key }

    /// What is trusted for logging in with an HPKI card: the root, and both generations of the authorities below it.
    package var hpkiAuthenticationTrust: TrustStore {
        TrustStore(
            anchors: [root],
            intermediates: CardIssuer.all.filter { $0.kind != .jpki }
                .compactMap { cardAuthorities[$0]?.certificate })
    }

    /// What is trusted for logging in with a card like the My Number card: both generations of its authority.
    package var jpkiAuthenticationTrust: TrustStore {
        TrustStore(
            anchors: CardIssuer.all.filter { $0.kind == .jpki }.compactMap { cardAuthorities[$0]?.certificate })
    }

    /// Issues the authentication certificate of an HPKI card for a public key (SubjectPublicKeyInfo in DER), valid from
    /// the midnight in Japan before `now`.
    package mutating func issueAuthentication(
        _ profile: HolderProfile, publicKey: [UInt8], by authority: Authority, generation: Generation = .new,
        now: Instant, years: Int = 5
    ) throws(DevelopmentPKIError) -> HPKICertificate {
        let issuer = CardIssuer(.hpki(authority), generation)
        let template = try authenticationTemplate(
            profile, publicKey: publicKey, by: authority, generation: generation, now: now, years: years)
        return try sign(template, by: issuer) { $0.nextSerial += 1 }
    }

    /// What `issueAuthentication` would sign, for tests that change a field first; no serial number is used up.
    package func authenticationTemplate(
        _ profile: HolderProfile, publicKey: [UInt8], by authority: Authority, generation: Generation = .new,
        now: Instant, years: Int = 5
    ) throws(DevelopmentPKIError) -> CertificateTemplate {
        let issuer = CardIssuer(.hpki(authority), generation)
        let book = try book(of: issuer)
        let validity = Self.validity(from: now, years: years)
        return CertificateTemplate(
            serialNumber: Self.octets(book.nextSerial), issuer: book.certificate.subject.der,
            subject: profile.subject, notBefore: validity.from, notAfter: validity.to, publicKey: publicKey,
            extensions: [
                Extensions.authorityKeyIdentifier(of: book.certificate),
                Extensions.subjectKeyIdentifier(try Self.keyIdentifier(publicKey)),
                Extensions.keyUsage(.digitalSignature),
                Extensions.plain(OID.extKeyUsage, DER.sequence(DER.objectIdentifier(OID.clientAuth))),
                Extensions.subjectAltName(directoryName: profile.alternativeName),
                Extensions.distributionPoints(uri: "\(settings.repository)/\(issuer.listName)"),
            ] + (profile.roles.isEmpty ? [] : [Extensions.roles(profile.roles)]) + [
                Extensions.policy(OID.hpkiAuthenticationPolicy, statement: settings.repository + "/policy/")
            ])
    }

    /// Issues the certificate of a card like the My Number card: no name, no role, a random serial number of 127 bits.
    package mutating func issueJPKI(
        publicKey: [UInt8], generation: Generation = .new, random: Random, now: Instant, years: Int = 5
    ) throws(DevelopmentPKIError) -> HPKICertificate {
        let template = try jpkiTemplate(
            publicKey: publicKey, generation: generation, random: random, now: now, years: years)
        return try sign(template, by: CardIssuer(.jpki, generation)) { $0.issued.insert(template.serialNumber) }
    }

    /// What `issueJPKI` would sign, for tests that change a field first.
    package func jpkiTemplate(
        publicKey: [UInt8], generation: Generation = .new, random: Random, now: Instant, years: Int = 5
    ) throws(DevelopmentPKIError) -> CertificateTemplate {
        let issuer = CardIssuer(.jpki, generation)
        let book = try book(of: issuer)
        let validity = Self.validity(from: now, years: years)
        return CertificateTemplate(
            serialNumber: Self.randomSerial(random), issuer: book.certificate.subject.der,
            subject: NameEncoding.encode([
                (oid: OID.countryName, value: "JP"), (oid: OID.commonName, value: Self.cardName(random)),
            ]),
            notBefore: validity.from, notAfter: validity.to, publicKey: publicKey,
            extensions: [
                Extensions.keyUsage(.digitalSignature),
                Extensions.policy(OID.jpkiAuthenticationPolicy, statement: settings.repository + "/policy/"),
                Extensions.distributionPoints(uri: "\(settings.repository)/\(issuer.listName)"),
                Extensions.authorityKeyIdentifier(of: book.certificate),
                Extensions.subjectKeyIdentifier(try Self.keyIdentifier(publicKey)),
            ])
    }

    /// Revokes a card's certificate, of either kind; its authority's next list has it.
    ///
    /// Throws `.unknownSerial` where none of the authorities issued it, or it is revoked already.
    package mutating func revokeCard(
        _ certificate: HPKICertificate, reason: RevocationReason?, at instant: Instant
    ) throws(DevelopmentPKIError) {
        for (issuer, held) in cardAuthorities
        where held.certificate.subject == certificate.issuer
            && held.certificate.subjectKeyIdentifier == certificate.authorityKeyIdentifier
        {
            var book = held
            let serial = certificate.serialNumber
            let isOurs =
                issuer.kind == .jpki
                ? book.issued.contains(serial) && !book.revoked.contains { $0.serialNumber == serial }
                : Self.mayRevoke(serial, in: book, first: issuer.firstSerial)
            guard isOurs else { throw .unknownSerial }
            book.revoked.append(.init(serialNumber: serial, revokedAt: instant.wholeSecond, reason: reason))
            cardAuthorities[issuer] = book
            return
        }
        throw .unknownSerial
    }

    /// The current list of every authority in DER by folder and file name; each call numbers its lists one higher.
    ///
    /// The root's stand in both folders that have authorities below it.
    package mutating func lists(now: Instant) throws(DevelopmentPKIError) -> [ListFolder: [String: [UInt8]]] {
        var lists: [ListFolder: [String: [UInt8]]] = [.signing: try crls(now: now)]
        for issuer in CardIssuer.all where hasAuthentication {
            var book = try book(of: issuer)
            lists[issuer.kind == .jpki ? .jpki : .hpki, default: [:]][issuer.listName] = try book.list(now: now)
            cardAuthorities[issuer] = book
        }
        for name in [Self.rootListName, Self.ownListName] where hasAuthentication {
            let list = lists[.signing]?[name]
            lists[.hpki]?[name] = list
        }
        return lists
    }

    private func book(of issuer: CardIssuer) throws(DevelopmentPKIError) -> DevelopmentAuthority {
        guard let book = cardAuthorities[issuer] else { throw .unreadableState }
        return book
    }

    private mutating func sign(
        _ template: CertificateTemplate, by issuer: CardIssuer, noting: (inout DevelopmentAuthority) -> Void
    ) throws(DevelopmentPKIError) -> HPKICertificate {
        var book = try book(of: issuer)
        let certificate = try Self.read(try template.signed(by: book.key))
        noting(&book)
        cardAuthorities[issuer] = book
        return certificate
    }

    private static func keyIdentifier(_ publicKey: [UInt8]) throws(DevelopmentPKIError) -> [UInt8] {
        do throws(CertificateError) {
            return try VerificationKey(subjectPublicKeyInfo: publicKey).keyIdentifier
        } catch {
            throw .badCertificate(error)
        }
    }

    /// 23 characters as on real cards: two digits, ten of hexadecimal, two letters, eight digits, a letter, all at random.
    private static func cardName(_ random: Random) -> String {
        let digits = Array("0123456789".utf8)
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        let parts = [(2, digits), (10, Array("0123456789ABCDEF".utf8)), (2, letters), (8, digits), (1, letters)]
        let name = parts.flatMap { count, alphabet in
            random.bytes(count).map { alphabet[Int($0) % alphabet.count] }
        }
        return String(decoding: name, as: UTF8.self)
    }
}

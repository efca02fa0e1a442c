import Certificates
import Development
import HPKI
import Host

/// The cards by which a development instance's holders log in, as files instead of in a reader.
struct DevelopmentCards {
    enum Kind: String, CaseIterable, Sendable {
        case hpki
        case jpki
    }

    /// What a card is made with.
    struct Order {
        let kind: Kind
        /// Whom an HPKI card names; a card like the My Number card names nobody.
        let profile: HolderProfile
        let authority: DevelopmentPKI.Authority
        var generation = DevelopmentPKI.Generation.new
        /// True for a card whose five years ended a year ago.
        var isExpired = false
    }

    /// The holder whose My Number card is one by the authority's old key.
    static let holderOfOldCard = "pharmacist-1"

    let home: Home

    /// Makes both cards of every holder.
    func make(for holders: [DevelopmentInstance.Holder], _ pki: inout DevelopmentPKI) async throws {
        var keys = try await DevelopmentKey.rsa2048(count: holders.count * Kind.allCases.count)[...]
        for holder in holders {
            for kind in Kind.allCases {
                guard let key = keys.popFirst() else { continue }
                let isOld = kind == .jpki && holder.id == Self.holderOfOldCard
                let order = Order(
                    kind: kind, profile: holder.profile, authority: holder.authority, generation: isOld ? .old : .new)
                let certificate = try Self.issue(order, key, by: &pki, now: WallClock.live.now())
                try write(certificate, key, kind, to: home.developmentCards + "/" + holder.id)
            }
        }
    }

    static func issue(
        _ order: Order, _ key: DevelopmentKey, by pki: inout DevelopmentPKI, now: Instant
    ) throws -> HPKICertificate {
        let start = order.isExpired ? now.adding(seconds: -6 * 366 * 86_400) : now
        switch order.kind {
        case .hpki:
            return try pki.issueAuthentication(
                order.profile, publicKey: key.subjectPublicKeyInfo, by: order.authority,
                generation: order.generation, now: start)
        case .jpki:
            return try pki.issueJPKI(
                publicKey: key.subjectPublicKeyInfo, generation: order.generation, random: .live, now: start)
        }
    }

    /// Writes `KIND.pem` and `KIND.key` (PKCS#8), in the place of a card that is there.
    func write(_ certificate: HPKICertificate, _ key: DevelopmentKey, _ kind: Kind, to folder: String) throws {
        try Files.makeFolder(folder)
        try SecretFile.write(Array(key.pem.utf8), to: "\(folder)/\(kind.rawValue).key", replacing: true)
        try Files.write(Array(certificate.pem.utf8), to: "\(folder)/\(kind.rawValue).pem")
    }
}

extension DevelopmentInstance.Holder {
    /// What stands in the holder's certificates.
    var profile: HolderProfile {
        HolderProfile(
            romajiName: romajiName, japaneseName: japaneseName, identifier: id, roles: roles,
            organization: organization, japaneseOrganization: japaneseOrganization)
    }
}

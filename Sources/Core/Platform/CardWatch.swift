import Certificates
import HPKI
import Host
import Identity
import Keys
import Logging

/// Judges the cards of one kind.
struct CardWatch: Sendable {
    let watch: CertificateWatch
    private let successions: Successions?
    private let settings: PlatformSettings.Card

    /// Reads anchors and lists; throws for a file that cannot be read.
    init(
        _ settings: PlatformSettings.Card, fetch: @escaping @Sendable (String) async throws -> [UInt8]
    ) throws(TrustStoreError) {
        self.settings = settings
        watch = try CertificateWatch(settings.trust, requirements: settings.requirements, fetch: fetch)
        successions = settings.successions.map { Successions(at: $0) }
    }

    /// The card as this kind's; throws `.loginRefused` with the row of the catalogue that tells why, or
    /// `.revocationUnknown`.
    func judge(_ certificate: HPKICertificate, at now: Instant, kind: String) throws(Failure) {
        guard let fault = watch.fault(of: certificate, at: now) else { return }
        switch fault {
        case .revocationUnknown, .crlStale:
            throw Failure(
                .revocationUnknown,
                "Whether the card is revoked cannot be known at present: \(fault.explanation)", reasons: [fault.name],
                retryAfter: 300)
        case .revoked(.leaf, _, _), .revokedLater(.leaf, _, _):
            throw CardRefusal.revoked.failure(kind, fault.name)
        case .expired(.leaf, _), .notYetValid(.leaf, _):
            throw CardRefusal.expired.failure(kind, fault.name)
        default:
            throw CardRefusal.wrongCard.failure(kind, fault.name)
        }
    }

    /// Which card a renewed one follows, by the operator's adapter to the official service; nil where nothing says so.
    func predecessor(of card: CardLinkStore.Card) -> CardLinkStore.Card? { successions?.predecessor(of: card) }
}

/// Why a card opens no session: the rows of the catalogue of messages.
enum CardRefusal: String {
    case disabled = "F4"
    case unknownHolder = "F11"
    case revoked = "F18"
    case wrongCard = "F19"
    case unlinked = "F20"
    case expired = "F1-expired"

    func failure(_ kind: String, _ detail: String) -> Failure {
        Failure(.loginRefused, "The card opens no session (\(detail)).", reasons: [rawValue, kind])
    }
}

import HPKI
import Host
import Identity
import Synchronization

/// Which renewed card follows which, as the operator's adapter to the official service writes it: a line each of four
/// words in hexadecimal, issuer's key id and serial number of the new card and of the old one.
///
/// The file is read when it has changed, and not at each login.
final class Successions: Sendable {
    private static let byteLimit = 64 << 20

    private struct Known {
        var changedAt: Int64?
        var predecessors: [CardLinkStore.Card: CardLinkStore.Card] = [:]
    }

    private let path: String
    private let known = Mutex(Known())

    init(at path: String) { self.path = path }

    /// The card that `card` follows; nil where the file says nothing of it, or cannot be read.
    func predecessor(of card: CardLinkStore.Card) -> CardLinkStore.Card? {
        let changedAt = Files.changeTime(of: path)
        return known.withLock { known in
            if known.changedAt != changedAt {
                known = Known(changedAt: changedAt, predecessors: Self.read(path))
            }
            return known.predecessors[card]
        }
    }

    private static func read(_ path: String) -> [CardLinkStore.Card: CardLinkStore.Card] {
        guard let bytes = try? Files.read(path, atMost: byteLimit) else { return [:] }
        var predecessors: [CardLinkStore.Card: CardLinkStore.Card] = [:]
        for line in bytes.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            let parts = words.compactMap { Hex.decode($0.lowercased()) }
            guard parts.count == 4, words.count == 4 else { continue }
            predecessors[CardLinkStore.Card(issuerKey: parts[0], serial: parts[1])] = CardLinkStore.Card(
                issuerKey: parts[2], serial: parts[3])
        }
        return predecessors
    }
}

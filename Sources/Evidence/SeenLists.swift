import Certificates
import HPKI
import Host
import Synchronization

/// Every revocation list that was fetched and verified, as it stood: so that the list of a signature's own time can
/// still be had when its authority has long published others and dropped what expired.
///
/// The folder's file names are the index. What a file says counts once its signature was verified again.
final class SeenLists: Sendable {
    private struct State {
        var names: Set<ListName>
        /// Lists in memory, those used last at the end.
        var recent: [(name: ListName, list: CertificateRevocationList)] = []
    }

    /// Lists kept in memory, in bytes.
    private static let memoryLimit = 192 << 20

    private let folder: String
    private let limit: Int
    // INVARIANT: every name was in the folder when it came in; owned by the lock.
    private let state: Mutex<State>

    /// Lists in `folder`, of which the oldest go when all together have more than `limit` bytes.
    ///
    /// A folder that cannot be listed counts as empty.
    init(folder: String, limit: Int) {
        self.folder = folder
        self.limit = limit
        let names = (try? Files.names(in: folder, atMost: 100_000)) ?? []
        state = Mutex(State(names: Set(names.compactMap(ListName.init))))
    }

    /// The newest list by `issuer`'s key of those that `isFit` accepts and that were not yet to be replaced at `instant`.
    func newest(
        by issuer: HPKICertificate, at instant: Instant, _ isFit: (CertificateRevocationList) -> Bool
    ) -> CertificateRevocationList? {
        let key = ListName.key(of: issuer)
        let names = state.withLock { $0.names }.filter { $0.key == key && instant.seconds <= $0.nextUpdate }
        for name in names.sorted(by: { $1.isOlder(than: $0) }) {
            if let list = read(name, issuer), isFit(list) { return list }
        }
        return nil
    }

    /// Takes a list that `issuer`'s key signed; gives the newer one where such a one of the same kind is held already.
    ///
    /// A list that cannot be written down counts all the same, for as long as it stays in memory.
    func take(_ list: CertificateRevocationList, by issuer: HPKICertificate) -> CertificateRevocationList {
        guard let name = ListName(list, by: issuer) else { return list }
        let newest = state.withLock { state in
            state.names.filter { $0.key == name.key && $0.series == name.series }.max { $0.isOlder(than: $1) }
        }
        if let newest, !newest.isOlder(than: name), let held = read(newest, issuer), !list.isNewer(than: held) {
            return held
        }
        try? Files.write(list.der, to: "\(folder)/\(name.text)")
        remember(name, list)
        prune()
        return list
    }

    private func read(_ name: ListName, _ issuer: HPKICertificate) -> CertificateRevocationList? {
        let recent = state.withLock { $0.recent.first { $0.name == name }?.list }
        if let recent {
            remember(name, recent)
            return recent
        }
        guard let der = try? Files.read("\(folder)/\(name.text)", atMost: CertificateRevocationList.byteLimit),
            let list = try? CertificateRevocationList(der: der), list.mayBeSigned(by: issuer),
            (try? list.verifySignature(by: issuer.publicKey)) != nil, ListName(list, by: issuer) == name
        else {
            // Gone, cut or altered: as if it had never been seen.
            state.withLock { state in _ = state.names.remove(name) }
            return nil
        }
        remember(name, list)
        return list
    }

    private func remember(_ name: ListName, _ list: CertificateRevocationList) {
        state.withLock { state in
            state.names.insert(name)
            state.recent.removeAll { $0.name == name }
            state.recent.append((name, list))
            var total = state.recent.reduce(0) { $0 + $1.list.der.count }
            while state.recent.count > 1, total > Self.memoryLimit {
                total -= state.recent.removeFirst().list.der.count
            }
        }
    }

    /// Removes the oldest lists until the rest is within the limit; the newest of each kind always stays.
    private func prune() {
        let gone = state.withLock { state in
            var total = state.names.reduce(0) { $0 + $1.bytes }
            var gone: [ListName] = []
            for name in state.names.sorted(by: { $0.thisUpdate < $1.thisUpdate }) where total > limit {
                let isNewest = !state.names.contains {
                    $0.key == name.key && $0.series == name.series && name.isOlder(than: $0)
                }
                guard !isNewest else { continue }
                total -= name.bytes
                gone.append(name)
            }
            state.names.subtract(gone)
            state.recent.removeAll { gone.contains($0.name) }
            return gone
        }
        for name in gone { try? Files.remove("\(folder)/\(name.text)") }
    }
}

/// What tells one list from another, written as its file's name.
struct ListName: Hashable {
    /// Of issuer and key.
    let key: String
    /// Of what the list speaks for.
    let series: String
    let thisUpdate: Int64
    let nextUpdate: Int64
    let bytes: Int
    /// CRLNumber in hexadecimal digits; empty for none.
    let number: String

    /// The name of a list; nil for one that does not say when it ends, which is never fresh.
    init?(_ list: CertificateRevocationList, by issuer: HPKICertificate) {
        guard let nextUpdate = list.nextUpdate else { return nil }
        key = Self.key(of: issuer)
        series = Hex.encode(Array(Digest(of: list.series).bytes.prefix(4)))
        thisUpdate = list.thisUpdate.seconds
        self.nextUpdate = nextUpdate.seconds
        bytes = list.der.count
        number = Hex.encode(list.number ?? [])
    }

    /// Reads a file's name.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[5].hasSuffix(".crl"), let thisUpdate = Int64(parts[2]),
            let nextUpdate = Int64(parts[3]), let bytes = Int(parts[4]),
            (0...CertificateRevocationList.byteLimit).contains(bytes)
        else { return nil }
        key = parts[0]
        series = parts[1]
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
        self.bytes = bytes
        number = String(parts[5].dropLast(4))
    }

    var text: String { "\(key)-\(series)-\(thisUpdate)-\(nextUpdate)-\(bytes)-\(number).crl" }

    static func key(of issuer: HPKICertificate) -> String {
        let digest = Digest(of: issuer.subject.der + issuer.publicKey.subjectPublicKeyInfo)
        return Hex.encode(Array(digest.bytes.prefix(12)))
    }

    /// By CRLNumber where both have one, then by time; for lists of one key.
    func isOlder(than other: ListName) -> Bool {
        if number != other.number, !number.isEmpty, !other.number.isEmpty {
            return number.count == other.number.count ? number < other.number : number.count < other.number.count
        }
        return thisUpdate < other.thisUpdate
    }
}

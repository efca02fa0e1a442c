/// How much work the signatures of one document may make, together: hostile documents multiply it.
final class JudgementBudget {
    /// Octets digested, read and written, for References and archive time stamps.
    private var octets = 96 << 20
    /// Signatures of revocation lists that are tried with a key.
    private var trials = 128

    /// Throws once the octets are used up.
    func take(octets count: Int) throws(Finding) {
        octets -= min(count, octets + 1)
        guard octets >= 0 else {
            throw .format("too-much-to-digest", "The signatures of the document cover too much, or too often.")
        }
    }

    /// Whether so many more signatures may be tried.
    func permits(trials count: Int) -> Bool {
        guard count <= trials else { return false }
        trials -= count
        return true
    }
}

/// A kind of key as the probe tries it.
package enum KeyKind: Sendable, Hashable {
    case rsa(bits: Int)
    case p256
    case p384
}

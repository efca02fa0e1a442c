/// A kind of key as the probe tries it.
enum KeyKind: Sendable, Hashable {
    case rsa(bits: Int)
    case p256
    case p384
}

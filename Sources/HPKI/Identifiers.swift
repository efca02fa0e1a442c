/// The 本人ID that an authority gave to a holder: 1 to 64 printable ASCII characters without white space.
package struct HolderID: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// Takes an identifier; nil unless it is 1 to 64 printable ASCII characters without white space.
    package init?(_ text: String) {
        guard isPlainIdentifier(text, atMost: 64) else { return nil }
        description = text
    }
}

/// The name of one second key with its certificate: 1 to 64 printable ASCII characters without white space.
package struct CredentialID: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// Takes an identifier; nil unless it is 1 to 64 printable ASCII characters without white space.
    package init?(_ text: String) {
        guard isPlainIdentifier(text, atMost: 64) else { return nil }
        description = text
    }
}

/// The name of one use of a key, 128 random bits in lower-case hexadecimal.
package struct SignatureID: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// Takes an identifier; nil unless it is 32 lower-case hexadecimal digits.
    package init?(_ text: String) {
        guard text.utf8.count == 32, let bytes = Hex.decode(text), Hex.encode(bytes) == text else { return nil }
        description = text
    }

    /// A fresh identifier.
    package init(random: Random) {
        description = Hex.encode(random.bytes(16))
    }
}

/// A client system as its issuer names it (OAuth 2.0 `client_id`): 1 to 128 printable ASCII characters.
package struct ClientID: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// Takes an identifier; nil unless it is 1 to 128 printable ASCII characters without white space.
    package init?(_ text: String) {
        guard isPlainIdentifier(text, atMost: 128) else { return nil }
        description = text
    }
}

/// A certification authority that registers holders here, by its name in the configuration.
package struct AuthorityID: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// Takes an identifier; nil unless it is 1 to 64 printable ASCII characters without white space.
    package init?(_ text: String) {
        guard isPlainIdentifier(text, atMost: 64) else { return nil }
        description = text
    }
}

private func isPlainIdentifier(_ text: String, atMost limit: Int) -> Bool {
    (1...limit).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
}

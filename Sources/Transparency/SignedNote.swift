import HPKI

/// A text with the signatures under it (C2SP signed-note).
package struct SignedNote: Sendable, Hashable {
    /// One line below the text; what it is worth only its verifier can tell.
    package struct Signature: Sendable, Hashable {
        package let name: String
        package let keyID: UInt32
        /// The bytes behind the key's id; their form is the signature type's.
        package let value: [UInt8]

        /// A signature of its parts.
        package init(name: String, keyID: UInt32, value: [UInt8]) {
            self.name = name
            self.keyID = keyID
            self.value = value
        }

        /// The line, with the newline at its end.
        package var line: String {
            let id = (0..<4).map { UInt8(truncatingIfNeeded: keyID >> (24 - 8 * $0)) }
            return "— \(name) \(Base64.encode(id + value))\n"
        }

        /// Reads a line without its newline; nil for what no signer writes.
        init?(line: some StringProtocol) {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "—", NoteKey.isName(parts[1]),
                let bytes = Base64.decode(String(parts[2])), bytes.count > 4, Base64.encode(bytes) == parts[2]
            else { return nil }
            name = String(parts[1])
            keyID = bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
            value = Array(bytes.dropFirst(4))
        }
    }

    /// The longest note that is read, in bytes.
    package static let longest = 1 << 18
    /// The most signatures that are read under one text.
    package static let mostSignatures = 64

    /// What is signed, with the newline at its end.
    package let text: String
    package var signatures: [Signature]

    /// A note of its parts; `text` ends in a newline and has no control characters besides.
    package init(text: String, signatures: [Signature]) {
        self.text = text
        self.signatures = signatures
    }

    /// Reads a note; throws `.malformedNote`.
    package init(_ bytes: [UInt8]) throws(TransparencyError) {
        guard bytes.count <= Self.longest else { throw .malformedNote("it is longer than \(Self.longest) bytes") }
        guard let whole = String(validating: bytes, as: UTF8.self) else { throw .malformedNote("it is not UTF-8") }
        guard bytes.allSatisfy({ $0 >= 0x20 || $0 == 0x0A }) else {
            throw .malformedNote("it has a control character")
        }
        // The last empty line ends the text; what is signed may have empty lines itself.
        guard let end = bytes.indices.last(where: { $0 > 0 && bytes[$0] == 0x0A && bytes[$0 - 1] == 0x0A }) else {
            throw .malformedNote("it has no empty line between text and signatures")
        }
        guard bytes.last == 0x0A, end < bytes.count - 1 else { throw .malformedNote("it has no signature") }
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        guard whole.utf8.count == bytes.count, head.utf8.count > 1 else { throw .malformedNote("it has no text") }
        text = head
        let lines = bytes[(end + 1)...].dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count <= Self.mostSignatures else { throw .malformedNote("it has too many signatures") }
        var read: [Signature] = []
        for line in lines {
            guard let signature = Signature(line: String(decoding: line, as: UTF8.self)) else {
                throw .malformedNote("a signature line cannot be read")
            }
            read.append(signature)
        }
        signatures = read
    }

    /// The whole note as it is sent and kept.
    package var encoded: String { text + "\n" + signatures.map(\.line).joined() }

    /// The keys of `known` whose signatures hold.
    ///
    /// Signatures by other keys are passed over, as the format demands; throws `.badSignature` where one of them does not, and
    /// `.noKnownSigner` where there is none.
    package func signers(among known: [NoteKey]) throws(TransparencyError) -> [NoteKey] {
        var found: [NoteKey] = []
        for signature in signatures {
            guard let key = known.first(where: { $0.name == signature.name && $0.keyID == signature.keyID }) else {
                continue
            }
            guard key.holds(signature.value, over: text) else { throw .badSignature(name: key.name) }
            if !found.contains(key) { found.append(key) }
        }
        guard !found.isEmpty else { throw .noKnownSigner }
        return found
    }
}

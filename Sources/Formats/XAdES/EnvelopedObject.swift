package import HPKI
internal import XML

/// A document inside an enveloping signature: a `ds:Object` that holds its octets in Base64 (xmldsig-core1 §4.5).
///
/// Its id follows from the octets alone, so that whoever has them can digest the element before anything is signed.
package struct EnvelopedObject: Sendable, Hashable {
    package let content: [UInt8]
    package let id: String

    /// Whether a text is the id of some such object.
    static func isID(_ text: String) -> Bool {
        let digits = text.utf8.dropFirst("object-".utf8.count)
        return text.hasPrefix("object-") && digits.count == 32
            && digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// An object around `content`.
    package init(_ content: [UInt8]) {
        self.content = content
        id = "object-" + Hex.encode(Array(Digest(of: content).bytes.prefix(16)))
    }

    /// The digest of the element's exclusive canonical form.
    package func digest(by algorithm: DigestAlgorithm = .sha256) -> Digest {
        Digest(of: Array(element(apex: " xmlns:ds=\"\(Namespaces.ds)\"").utf8), by: algorithm)
    }

    func element(apex: String) -> String {
        """
        <ds:Object\(apex) Encoding="\(Namespaces.base64)" Id="\(id)">\(Base64.encode(content))</ds:Object>
        """
    }
}

extension EnvelopedObject {
    /// A `Signature` element that was made without its object, with it in its place; nil for other bytes.
    package func inserted(into signature: [UInt8]) -> [UInt8]? {
        guard let document = try? XMLDocument(parsing: signature),
            document.root.isNamed("Signature", Namespaces.ds),
            let keyInfo = document.root.firstChild("KeyInfo", Namespaces.ds)
        else { return nil }
        return document.inserting(Array(element(apex: "").utf8), at: keyInfo.byteRange.upperBound)
    }
}

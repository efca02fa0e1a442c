/// A well-formed XML 1.0 document with namespaces and without DTD, kept together with the bytes it was read from.
///
/// Signatures are over bytes, so every element knows where it lies in `bytes`, and nothing is ever written back
/// from a tree.
package final class XMLDocument: Sendable {
    /// The input, unchanged.
    package let bytes: [UInt8]
    let tree: XMLTree

    /// Reads a document in UTF-8; throws at the first thing that is wrong or beyond `limits`.
    ///
    /// Time and memory are linear in the input. Two elements with one id are refused.
    package init(parsing bytes: [UInt8], limits: XMLLimits = .standard) throws(XMLError) {
        self.bytes = bytes
        var reader = XMLReader(bytes, limits)
        tree = try reader.read()
    }

    /// The document element.
    package var root: XMLElement { XMLElement(document: self, index: tree.root) }

    /// The element that `#id` refers to: by an attribute `Id`, `id`, `ID` in no namespace, or `xml:id`.
    ///
    /// Ids are compared byte for byte: no two texts that merely look alike are the same.
    package func element(id: String) -> XMLElement? {
        tree.ids[Array(id.utf8)].map { XMLElement(document: self, index: $0) }
    }
}

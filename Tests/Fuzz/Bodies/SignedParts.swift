package import Certificates
internal import Formats
package import HPKI
package import XML

/// One digest for each signature, over all that it is over, found without the validator.
///
/// `Tests/Fuzz/Trust/signed` has those of every signature that was made for the corpora, so that a signature which passes
/// and is none of them is a forgery, whatever stands around it.
package enum SignedParts {
    /// Of each XML signature: its SignedInfo with the octets of its References; nil where one leads nowhere.
    package static func of(_ document: XMLDocument) -> [Digest]? {
        let elements = [document.root] + document.root.descendants
        var found: [Digest] = []
        for signature in document.signatures {
            guard let info = signature.firstChild("SignedInfo", Namespaces.ds),
                let name = info.firstChild("CanonicalizationMethod", Namespaces.ds)?.attribute("Algorithm"),
                let method = Canonicalization(algorithm: name)
            else { return nil }
            var whole = method.canonicalize(info)
            for reference in info.children("Reference", Namespaces.ds) {
                guard let octets = octets(of: reference, in: signature, elements) else { return nil }
                whole += Digest(of: octets).bytes
            }
            found.append(Digest(of: whole))
        }
        return found
    }

    /// Of each CMS signer: the signed attributes with the content, which is the corpus's where it is kept apart; nil where
    /// a signer signed no attributes.
    package static func of(_ signature: CMSSignedData) -> [Digest]? {
        let content = Digest(of: signature.content.map { Array($0) } ?? fuzzContent)
        let all = signature.signers.compactMap { $0.attributes?.toBeSigned }
        return all.count == signature.signers.count ? all.map { Digest(of: $0 + content.bytes) } : nil
    }

    /// Ids are sought in all attributes of such a name, so that the reader's own index is not trusted.
    private static func octets(
        of reference: XMLElement, in signature: XMLElement, _ elements: [XMLElement]
    ) -> [UInt8]? {
        let names =
            reference.firstChild("Transforms", Namespaces.ds)?.children.compactMap { $0.attribute("Algorithm") } ?? []
        let method = names.compactMap(Canonicalization.init(algorithm:)).first ?? .inclusive10
        let left = names.contains(Namespaces.envelopedSignature) ? signature : nil
        guard let uri = reference.attribute("URI") else { return nil }
        if uri.isEmpty { return method.canonicalize(signature.document, excluding: left) }
        guard uri.utf8.first == UInt8(ascii: "#") else { return fuzzContent }
        let id = Array(uri.utf8.dropFirst())
        let named = elements.filter { element in
            ["Id", "id", "ID"].contains { element.attribute($0).map { Array($0.utf8) } == id }
        }
        guard let only = named.first, named.count == 1 else { return nil }
        return method.canonicalize(only, excluding: left)
    }
}

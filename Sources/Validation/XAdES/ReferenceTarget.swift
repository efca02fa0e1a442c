package import HPKI
internal import XML

/// What a signature's References to things outside the document may mean; nothing is ever fetched.
package struct DetachedContent: Sendable, Hashable {
    /// Octets by the very URI of the Reference; "" stands for a Reference without URI.
    package var named: [String: [UInt8]]
    /// Octets for every other Reference to something outside.
    package var single: [UInt8]?
    /// Digests of data that are not at hand: a Reference with this URI must have this digest.
    package var digests: [String: Digest]

    /// Content given by the caller; none by default.
    package init(named: [String: [UInt8]] = [:], single: [UInt8]? = nil, digests: [String: Digest] = [:]) {
        self.named = named
        self.single = single
        self.digests = digests
    }

    /// No content beside the document.
    package static let none = DetachedContent()
}

/// What a Reference leads to.
enum ReferenceTarget: Equatable {
    case element(XMLElement)
    case document(XMLDocument)
    /// Octets that the caller gave.
    case outside([UInt8])
    /// Data that are not at hand, of which the caller knows the digest.
    case known(Digest)

    static func == (left: ReferenceTarget, right: ReferenceTarget) -> Bool {
        switch (left, right) {
        case (.element(let one), .element(let other)): one == other
        case (.document, .document): true
        case (.outside(let one), .outside(let other)): one == other
        case (.known(let one), .known(let other)): one == other
        default: false
        }
    }

    /// Finds what `reference` in `signature` leads to (xmldsig-core1 §4.4.3.1).
    init(of reference: ParsedReference, in signature: XMLElement, _ content: DetachedContent) throws(Finding) {
        let uri = reference.uri ?? ""
        if let digest = content.digests[uri] {
            self = .known(digest)
        } else if reference.uri != "", uri.utf8.first != UInt8(ascii: "#"), let octets = content.named[uri] {
            self = .outside(octets)
        } else if reference.uri == "" {
            self = .document(signature.document)
        } else if uri.utf8.first == UInt8(ascii: "#") {
            // A byte, not a Character: a combining mark behind `#` belongs to the id.
            guard let element = signature.document.element(id: String(decoding: uri.utf8.dropFirst(), as: UTF8.self))
            else { throw .format("reference-not-found", "A Reference is to an element that is not there.") }
            self = .element(element)
        } else if let single = content.single {
            self = .outside(single)
        } else {
            throw .unknown(
                .signedDataNotFound, "detached-content-missing", "The signature is about data that were not given.")
        }
        try mustSuit(reference, in: signature)
    }

    /// The signature can be left out only of what it stands in, and must leave something.
    private func mustSuit(_ reference: ParsedReference, in signature: XMLElement) throws(Finding) {
        switch self {
        case .element(let element):
            guard !reference.isEnveloped || (signature.isInside(element) && signature != element) else {
                throw .format("covers-nothing", "A Reference leaves the signature out of what it does not stand in.")
            }
        case .document(let document):
            guard !reference.isEnveloped || signature != document.root else {
                throw .format("covers-nothing", "A Reference is to the document without the signature: nothing.")
            }
        case .outside:
            guard !reference.isEnveloped else {
                throw .format("covers-nothing", "A Reference leaves the signature out of what it does not stand in.")
            }
        case .known: break
        }
    }

    /// The bytes of input that the octets are made of, to bound the work.
    var inputByteCount: Int {
        switch self {
        case .element(let element): element.byteRange.count
        case .document(let document): document.bytes.count
        case .outside(let octets): octets.count
        case .known: 0
        }
    }

    /// The octets behind the transforms; nodes become octets by `implied` where no transform says how.
    ///
    /// Throws for data that are not at hand, and for outside octets that are to be canonicalised and are no XML.
    func octets(
        by reference: ParsedReference, in signature: XMLElement, implied: CanonicalizationChoice = .implied
    ) throws(Finding) -> [UInt8] {
        let method = reference.canonicalization ?? implied
        let left = reference.isEnveloped ? signature : nil
        switch self {
        case .element(let element): return method.canonicalize(element, excluding: left)
        case .document(let document): return method.canonicalize(document, excluding: left)
        case .outside(let octets):
            guard let method = reference.canonicalization else { return octets }
            guard let document = try? XMLDocument(parsing: octets) else {
                throw .format("detached-content-not-xml", "The data beside the signature are to be XML and are not.")
            }
            return method.canonicalize(document)
        case .known:
            throw .unknown(.signedDataNotFound, "detached-content-missing", "The signed data are not at hand.")
        }
    }
}

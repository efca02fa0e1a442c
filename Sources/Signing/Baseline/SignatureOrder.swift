package import HPKI

/// What a client asks of `POST /v1/signatures`: documents of one kind, signed one by one in the same way.
package struct SignatureOrder: Sendable, Hashable {
    /// Where the signature is in relation to what it covers.
    package enum Packaging: Sendable, Hashable {
        /// Prescriptions and dispensing results have one way only.
        case ofForm
        case xades(XAdES)
        case cades(CAdES)

        /// In the words of XML Signature and ETSI EN 319 132-1.
        package enum XAdES: String, Sendable, Hashable, CaseIterable {
            /// Inside the document that it covers as a whole.
            case enveloped
            /// Around the document.
            case enveloping
            /// Apart from the document, which it names.
            case detached
            /// Beside the element that it covers, in the same document.
            case internallyDetached = "internally-detached"
        }

        /// In the words of ETSI EN 319 122-1.
        package enum CAdES: String, Sendable, Hashable, CaseIterable {
            /// With the document's octets inside.
            case attached
            case detached
        }
    }

    /// One document, or its digest alone.
    package struct Item: Sendable, Hashable {
        /// What of the document leaves the client.
        package enum Source: Sendable, Hashable {
            case document([UInt8])
            /// Over the octets that the packaging digests; the client puts document and signature together itself.
            case digest(Digest)
        }

        package let source: Source
        /// The name of a detached document, as the verifier knows it.
        package let name: String?
        /// The id of the element that is covered.
        package let elementID: String?
        package let mimeType: String?

        /// An item with all its fields.
        package init(source: Source, name: String? = nil, elementID: String? = nil, mimeType: String? = nil) {
            self.source = source
            self.name = name
            self.elementID = elementID
            self.mimeType = mimeType
        }
    }

    package let form: DocumentForm
    package let packaging: Packaging
    package let level: SignatureLevel
    /// Nil for the key's usual one.
    package let algorithm: SignatureAlgorithm?
    /// What the pharmacist acknowledges of a prescription that this service never sees.
    package let acknowledged: [String]
    package let items: [Item]

    /// The most documents of one order.
    package static let itemLimit = 64

    /// An order with all its fields.
    package init(
        form: DocumentForm, packaging: Packaging, level: SignatureLevel, algorithm: SignatureAlgorithm? = nil,
        acknowledged: [String] = [], items: [Item]
    ) {
        self.form = form
        self.packaging = packaging
        self.level = level
        self.algorithm = algorithm
        self.acknowledged = acknowledged
        self.items = items
    }
}

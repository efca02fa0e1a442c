package import HPKI
internal import Validation

/// What a client asks of `POST /v1/augmentations`: a signature raised to a level.
package struct AugmentationOrder: Sendable, Hashable {
    /// A signed document or a signature alone: XML, or CMS in DER.
    package let signature: [UInt8]
    package let level: SignatureLevel
    /// The octets of what a detached signature covers.
    package let content: [UInt8]?
    /// The name by which a detached XAdES signature knows them.
    package let name: String?

    /// An order with all its fields.
    package init(signature: [UInt8], level: SignatureLevel, content: [UInt8]? = nil, name: String? = nil) {
        self.signature = signature
        self.level = level
        self.content = content
        self.name = name
    }
}

extension AugmentationOrder {
    var detached: DetachedContent {
        guard let content else { return .none }
        return name.map { DetachedContent(named: [$0: content]) } ?? DetachedContent(single: content)
    }
}

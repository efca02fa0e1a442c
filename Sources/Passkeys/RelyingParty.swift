/// Who asks for passkeys, and from which pages.
package struct RelyingParty: Sendable, Hashable {
    /// The relying party's id, a host name.
    package let id: String
    /// The origins of its pages, compared as they stand.
    package let origins: Set<String>

    /// A relying party of that id and those pages.
    package init(id: String, origins: Set<String>) {
        self.id = id
        self.origins = origins
    }
}

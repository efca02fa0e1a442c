/// An attribute of a signer, signed or not: a type and its values as they were encoded (RFC 5652 §5.3).
package struct CMSAttribute: Sendable {
    private static let limit = 64
    private static let valueLimit = 64

    /// The type, dotted.
    package let type: String
    /// The type's OBJECT IDENTIFIER as encoded.
    package let typeDER: ArraySlice<UInt8>
    /// Each value as encoded; at least one.
    package let values: [DERElement]
    /// The whole attribute as encoded.
    package let encoded: ArraySlice<UInt8>

    init(_ element: DERElement) throws(DERError) {
        var fields = element.children
        let name = try fields.next(.objectIdentifier)
        var set = try fields.enter(.set)
        try fields.end()
        var values: [DERElement] = []
        repeat {
            guard values.count < Self.valueLimit else { throw .tooMany }
            values.append(try set.next())
        } while !set.isAtEnd
        type = try name.objectIdentifier()
        typeDER = name.encoded
        self.values = values
        encoded = element.encoded
    }

    /// The only value; throws `.tooMany` where there are several.
    func onlyValue(_ tag: DERTag) throws(DERError) -> DERElement {
        guard let only = values.first, values.count == 1 else { throw .tooMany }
        guard only.tag == tag else { throw .unexpectedTag }
        return only
    }

    /// Reads a SET OF attributes under whatever tag it has, in any order, each type as often as it comes.
    static func readList(_ element: DERElement) throws(DERError) -> [CMSAttribute] {
        var list = element.children
        var found: [CMSAttribute] = []
        repeat {
            guard found.count < limit else { throw .tooMany }
            found.append(try CMSAttribute(try list.next(.sequence)))
        } while !list.isAtEnd
        return found
    }
}

/// One message that people may meet: where, made by whom, why, and what to do next.
package struct HelpEntry: Sendable, Hashable {
    /// What a person looks at when the message appears.
    package enum Place: String, Sendable, Hashable, CaseIterable {
        case phone
        case pc
        /// Either: messages of our own that no row of the old platform has.
        case any
    }

    /// Who makes the message appear.
    package enum Maker: String, Sendable, Hashable, CaseIterable {
        case service
        case browser
        /// The operating system of the phone or PC.
        case system
        case cardSoftware = "card-software"
        /// A proxy or filter on the way.
        case network
    }

    /// A sentence; `card` where it is about one kind of card alone.
    package struct Sentence: Sendable, Hashable {
        package let text: String
        package let card: CardKind?

        /// Whether it is to be said to someone with `card`; nil where the card is not known.
        func fits(_ card: CardKind?) -> Bool { self.card == nil || card == nil || self.card == card }
    }

    /// `E1` to `E25`, `F1` to `F24`, or an id of our own such as `O-invalid_request`.
    package let id: String
    package var place = Place.any
    package var makers: [Maker] = []
    /// As shown on the screen; `{user}` and such stand for what varies.
    package var messages: [Sentence] = []
    /// What a page of ours says where it differs from `messages`; else empty.
    package var shown: [Sentence] = []
    package var causes: [Sentence] = []
    /// What to do next, in this order.
    package var steps: [Sentence] = []
    /// How this service differs, in a sentence; nil where it does not.
    package var ours: String?

    /// What a page of ours says to someone with `card`, its places filled in: the message, then what follows it.
    func lines(_ card: CardKind?, _ arguments: [String: String] = [:]) -> [String] {
        let all = shown.isEmpty ? messages : shown
        let exact = all.filter { $0.card != nil && $0.card == card }
        return (exact.isEmpty ? all.filter { $0.fits(card) } : exact).map { Texts.filled($0.text, arguments) }
    }
}

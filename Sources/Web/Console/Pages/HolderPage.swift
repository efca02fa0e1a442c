internal import CoreProtocol
internal import HPKI

/// One holder: who they are by the registry, their keys, their last use.
struct HolderPage {
    let review: HolderReview
    let words: RecordWords

    var heading: String { words.texts.text("holderTitle", ["n": review.id.description]) }

    var view: View {
        let texts = words.texts
        return [
            "heading": heading, "indexNotice": words.notice(review.index), "isUnknown": review.record == nil,
            "search": shown(words.searchLink([("holder", review.id.description)])), "facts": facts,
            "hasNoKeys": review.credentials.isEmpty, "keys": review.credentials.map(key),
            "lastUse": shown(
                review.lastUse.map { row in
                    words.table([row], caption: texts.text("resultsPage", ["n": "1"]))
                }),
        ]
    }

    private var facts: [View] {
        let texts = words.texts
        let enabled = review.isEnabled.map { texts[$0 ? "holderIsEnabled" : "holderIsDisabled"] }
        let roles = review.record?.roles.map(\.description).joined(separator: "、")
        let registers = review.record?.registerNumbers.map { "\($0.register) \($0.number)" }.joined(separator: "、")
        return [
            Fact.view(texts["holderName"], review.record?.japaneseName),
            Fact.view(texts["holderRomaji"], review.record?.romajiName),
            Fact.view(texts["holderRoles"], roles),
            Fact.view(texts["holderRegisters"], registers),
            Fact.view(texts["holderEnabled"], enabled, chip: review.isEnabled == true ? "signed" : "failed"),
            Fact.view(texts["keyAuthority"], review.authority?.description),
            Fact.view(texts["keyUses"], ConsoleNumber.text(review.uses)),
        ].compactMap { $0 }
    }

    private func key(_ facts: CredentialFacts) -> View {
        [
            "id": facts.id.description, "link": shown(words.keyLink(facts.id)), "code": facts.state.chip,
            "state": words.texts.word("state", facts.state.rawValue), "type": facts.keyType.rawValue,
            "custody": words.texts.word("custody", facts.custody), "time": JapanTime.view(facts.changedAt),
        ]
    }
}

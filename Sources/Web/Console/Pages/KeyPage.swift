internal import CoreProtocol
internal import HPKI

/// One line of a list of facts.
struct Fact {
    /// The view that the template `facts` needs; nil where there is nothing to tell.
    static func view(
        _ label: String, _ value: String?, link: String? = nil, chip: String? = nil, isCode: Bool = false
    ) -> View? {
        guard let value, !value.isEmpty else { return nil }
        return [
            "label": label, "value": value, "link": shown(link), "chip": shown(chip), "isCode": isCode, "time": false,
        ]
    }

    static func view(_ label: String, at instant: Instant?) -> View? {
        instant.map {
            [
                "label": label, "value": "", "link": false, "chip": false, "isCode": false,
                "time": JapanTime.view($0),
            ]
        }
    }
}

extension CredentialState {
    /// The look of its chip.
    var chip: String {
        switch self {
        case .active: "signed"
        case .revoked: "failed"
        case .suspended: "refused"
        case .requested, .generated, .certified, .expired, .destructionPending, .destroyed: "unknown"
        }
    }
}

/// One key's life from its order to its destruction, and its uses.
struct KeyPage {
    private static let chartDays: Int64 = 90

    let review: KeyReview
    let now: Instant
    let words: RecordWords

    var heading: String { words.texts.text("keyTitle", ["n": review.id.description]) }

    var view: View {
        let texts = words.texts
        return [
            "heading": heading, "indexNotice": words.notice(review.index), "isUnknown": review.facts == nil,
            "search": shown(words.searchLink([("key", review.id.description)])),
            "facts": facts, "chartLabel": texts["keyDaysLabel"],
            "chart": Charts.overTime(days, of: [.signed], isHourly: false, texts: texts),
            "tables": [
                table("life", "keyLife", review.life), table("uses", "keyLastUses", review.lastUses),
            ],
        ]
    }

    private var facts: [View] {
        let texts = words.texts
        let uses = Fact.view(texts["keyUses"], ConsoleNumber.text(review.uses))
        guard let facts = review.facts else { return [uses].compactMap { $0 } }
        return [
            Fact.view(texts["keyState"], texts.word("state", facts.state.rawValue), chip: facts.state.chip),
            Fact.view(texts["keyReason"], facts.reason.map { texts.word("reason", $0.name) }),
            Fact.view(texts["colHolder"], facts.holder.description, link: words.holderLink(facts.holder)),
            uses,
            Fact.view(texts["keyType"], facts.keyType.rawValue),
            Fact.view(texts["keyCustody"], texts.word("custody", facts.custody)),
            Fact.view(texts["keyAuthority"], review.authority?.description),
            Fact.view(texts["keyChanged"], at: facts.changedAt),
            Fact.view(texts["keyTakesOver"], at: facts.takesOverAt),
            Fact.view(
                texts["keyReplaces"], facts.replaces?.description, link: facts.replaces.flatMap(words.keyLink)),
            Fact.view(texts["keyCertificate"], facts.certificate.map { Digest(of: $0).hex }, isCode: true),
            Fact.view(texts["keyPublicKey"], facts.publicKey.map { Digest(of: $0).hex }, isCode: true),
        ].compactMap { $0 }
    }

    /// Every day of the last months, those without a use too.
    private var days: [Charts.Bucket] {
        let first = OverviewStep.day.floor(now).adding(seconds: -(Self.chartDays - 1) * 86_400)
        let uses = Dictionary(review.days.map { ($0.start, UInt64($0.uses)) }) { $0 &+ $1 }
        return (0..<Self.chartDays).map { day in
            let start = first.adding(seconds: day * 86_400)
            return Charts.Bucket(start: start, counts: [.signed: uses[start] ?? 0])
        }
    }

    private func table(_ name: String, _ heading: String, _ rows: [RecordRow]) -> View {
        let caption = words.texts.text("resultsPage", ["n": ConsoleNumber.text(rows.count)])
        let view: View = ["name": name, "heading": words.texts[heading], "isEmpty": rows.isEmpty]
        return view.merging(words.table(rows, caption: caption)) { $1 }
    }
}

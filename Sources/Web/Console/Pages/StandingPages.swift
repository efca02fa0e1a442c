internal import CoreProtocol
internal import HPKI

/// The policy set in force, and the starts at which another took effect.
struct PoliciesPage {
    let review: PolicyReview
    let words: RecordWords

    var view: View {
        [
            "name": review.name, "hash": review.hash.hex, "rules": review.rules,
            "hasNoChanges": review.changes.isEmpty,
            "changes": review.changes.map { change -> View in
                [
                    "number": ConsoleNumber.text(change.sequence), "link": shown(words.recordLink(change.sequence)),
                    "time": JapanTime.view(change.time), "name": change.name, "hash": change.hash.hex,
                ]
            },
        ]
    }
}

/// The log's head and those who cosign it.
struct LogPage {
    let facts: LogHeadFacts
    let words: RecordWords

    var view: View {
        let texts = words.texts
        return [
            "indexNotice": words.notice(facts.index),
            "facts": [
                Fact.view(
                    texts["logState"], texts[facts.isRunning ? "logRunning" : "logStopped"],
                    chip: facts.isRunning ? "signed" : "failed"),
                Fact.view(texts["logOrigin"], facts.origin),
                Fact.view(texts["logSize"], ConsoleNumber.text(facts.size)),
                Fact.view(texts["logNewest"], at: facts.newest),
                Fact.view(texts["logRoot"], Hex.encode(facts.root), isCode: true),
            ].compactMap { $0 },
            "checkpoint": shown(facts.checkpoint), "hasNoWitnesses": facts.witnesses.isEmpty,
            "witnesses": facts.witnesses.map { witness -> View in
                [
                    "name": witness.name, "size": shown(witness.size.map { ConsoleNumber.text($0) }),
                    "time": shown(witness.cosignedAt.map { JapanTime.view($0) }), "fault": shown(witness.fault),
                ]
            },
        ]
    }
}

internal import CoreProtocol
internal import HPKI

/// One record with everything that opens it, and its proof for the page to check.
struct OneRecordPage {
    /// Values of more bytes are shown in a box of their own.
    private static let longBytes = 400

    let facts: RecordFacts
    let words: RecordWords

    var heading: String {
        words.texts.text("recordTitle", ["n": ConsoleNumber.text(facts.row.sequence)])
    }

    var view: View {
        let row = facts.row
        let summary = words.row(row)
        return [
            "heading": heading, "sequence": String(row.sequence),
            "previous": shown(row.sequence == 0 ? nil : words.recordLink(row.sequence - 1)),
            "following": shown(words.recordLink(row.sequence &+ 1)),
            "time": JapanTime.view(row.time), "kind": words.texts.word("kind", row.kind.name),
            "form": summary["form"] ?? false, "result": summary["result"] ?? false,
            "counterpart": shown(facts.counterpart.map(counterpart)), "isErased": row.isErased,
            "openings": facts.openings.map(opening), "leaf": Hex.encode(facts.leaf),
            "evidence": shown(facts.evidence.map(asciiJSON)),
        ]
    }

    /// JSON whose characters beyond ASCII are written as escapes (RFC 8259 §7): the page's own escape would change those
    /// that are not seen, and the proof is over what they are.
    private func asciiJSON(_ json: [UInt8]) -> String {
        var text = ""
        for unit in String(decoding: json, as: UTF8.self).utf16 {
            if let scalar = Unicode.Scalar(unit), scalar.isASCII, unit != 0x7F {
                text.unicodeScalars.append(scalar)
            } else {
                let digits = String(unit, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            }
        }
        return text
    }

    private func counterpart(_ row: RecordRow) -> View {
        let isOutcome = row.kind == .outcome
        return [
            "label": words.texts[isOutcome ? "recordCounterpartOutcome" : "recordCounterpartIntent"],
            "number": ConsoleNumber.text(row.sequence), "link": shown(words.recordLink(row.sequence)),
            "time": JapanTime.view(row.time), "result": shown(words.result(row)),
        ]
    }

    private func opening(_ opening: RecordFacts.Opening) -> View {
        var value = opening.value
        var link: String?
        var rest: String?
        var note: String?
        switch opening.name {
        case "holder":
            link = HolderID(value).flatMap(words.holderLink)
            note = facts.row.holderName
        case "key":
            // The id leads to the key; what follows is its certificate's digest.
            if let id = CredentialID(String(value.prefix { $0 != ":" })), let path = words.keyLink(id) {
                link = path
                rest = String(value.dropFirst(id.description.count + 1))
                value = id.description
            }
        case "client": note = facts.row.facility
        case "note": note = Failure.Kind(rawValue: value).map { words.texts.word("failure", $0.rawValue) }
        default: break
        }
        return [
            "label": words.texts.word("field", opening.name), "value": value, "link": shown(link), "rest": shown(rest),
            "note": shown(note),
            "isCode": !["note", "custody"].contains(opening.name), "isLong": value.utf8.count > Self.longBytes,
        ]
    }
}

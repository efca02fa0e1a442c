internal import CoreProtocol
internal import HPKI

/// Records in the words of a language, with links to what the role may open.
struct RecordWords {
    let texts: Texts
    /// Nil for a holder.
    let role: ReviewerRole?

    init(_ visit: ConsoleVisit) {
        texts = visit.texts
        role = visit.session?.role
    }

    /// Rows for the template `rows`.
    func table(_ rows: [RecordRow], caption: String) -> View {
        ["rowsCaption": caption, "showsHolder": role != nil, "rows": rows.map(row)]
    }

    func row(_ row: RecordRow) -> View {
        let failure = row.failure.map { texts.word("failure", $0.rawValue) }
        // The note of a refusal is the failure again.
        let note = row.note == row.failure?.rawValue ? nil : row.note
        let what = [failure, row.rule, note, row.party.map(party)].compactMap { $0 }.filter { !$0.isEmpty }
        return [
            "number": ConsoleNumber.text(row.sequence), "link": shown(recordLink(row.sequence)),
            "time": JapanTime.view(row.time), "kind": texts.word("kind", row.kind.name),
            "form": shown(row.form.map { texts.word("form", $0.rawValue) }), "result": shown(result(row)),
            "holder": shown(holder(row.holder, name: row.holderName)), "key": shown(key(row.credential)),
            "client": shown(row.client?.description), "facility": shown(row.facility),
            "what": shown(Self.short(what.joined(separator: " · "))), "isErased": row.isErased,
        ]
    }

    /// Who acted, of lines `name=value`: an authority by its name, a reviewer by theirs and their role.
    private func party(_ text: String) -> String {
        var values: [Substring: String] = [:]
        for line in text.split(separator: "\n") {
            let pair = line.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { values[pair[0]] = String(pair[1]) }
        }
        let role = values["role"].map { texts.word("role", $0) }
        let who = [values["authority"], values["subject"], role].compactMap { $0 }
        return who.isEmpty ? text : who.joined(separator: " ")
    }

    /// The chip of an outcome or a refusal.
    func result(_ row: RecordRow) -> View? {
        let code = row.outcome?.name ?? (row.kind == .refusal ? Series.refused.rawValue : nil)
        return code.map { ["code": $0, "label": texts.word("outcome", $0)] }
    }

    func holder(_ id: HolderID?, name: String? = nil) -> View? {
        id.map {
            ["label": $0.description, "link": shown(holderLink($0)), "name": shown(name)]
        }
    }

    func key(_ id: CredentialID?) -> View? {
        id.map { ["label": $0.description, "link": shown(keyLink($0))] }
    }

    func recordLink(_ sequence: UInt64) -> String? { link(.record, "/console/records/\(sequence)") }

    func holderLink(_ id: HolderID) -> String? {
        link(.holder, "/console/holders/" + URLFields.encoded(id.description))
    }

    func keyLink(_ id: CredentialID) -> String? {
        link(.key, "/console/keys/" + URLFields.encoded(id.description))
    }

    func searchLink(_ pairs: [(String, String?)]) -> String? {
        link(.search, "/console/search?" + URLFields.query(pairs))
    }

    private func link(_ kind: ReviewQuestion.Kind, _ path: String) -> String? {
        role?.mayAsk(kind) == true ? path : nil
    }

    /// What the index misses, if anything.
    func notice(_ index: IndexFacts) -> Any {
        if index.isRebuilding { return texts["indexRebuilding"] }
        guard index.behind > 0 else { return false }
        return texts.text("indexBehind", ["n": ConsoleNumber.text(index.behind)])
    }

    /// As much as a line of a table bears.
    static func short(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { $0 == "\n" ? " " : $0 }
        guard scalars.count > 160 else { return String(String.UnicodeScalarView(scalars)) }
        return String(String.UnicodeScalarView(scalars.prefix(160))) + "…"
    }
}

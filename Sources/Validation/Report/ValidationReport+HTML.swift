internal import HPKI
internal import XML

extension ValidationReport {
    /// The report as a page for a pharmacist, in Japanese and English: one file, readable on a phone, without scripts.
    package var html: String {
        let body = [
            "<main class=\"\(result.rawValue)\"><h1>\(both(result.japanese, result.english))</h1>",
            "<p>\(both(result.japaneseAdvice, result.englishAdvice))</p>",
            findings.isEmpty ? "" : "<ul>\(findings.map(\.item).joined())</ul>",
            signatures.map(\.section).joined(),
            "<footer>\(pair("判定日時", "Judged at", judgedAt.rfc3339))",
            pair("検証ポリシー", "Validation policy", policy + (policyDigest.map { " (SHA-256 \($0.hex))" } ?? "")),
            "</footer></main>",
        ].joined()
        return """
            <!DOCTYPE html>
            <html lang="ja"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>\(escaped(result.japanese)) / \(escaped(result.english))</title>
            <style>\(Self.style)</style></head><body>\(body)</body></html>

            """
    }

    private static let style = """
        body{font-family:sans-serif;line-height:1.6;margin:0;color:#111;background:#fff}
        main{max-width:42em;margin:0 auto;padding:1em;border-top:1em solid #b26a00}
        main.passed{border-color:#1b6e2c}main.failed{border-color:#b00020}
        h1{font-size:1.5em}h2{font-size:1.15em;margin-top:1.5em}
        dt{color:#555;font-size:.85em;margin-top:.6em}dd{margin:0;overflow-wrap:anywhere}
        .en{color:#444;font-size:.85em;display:block}footer{margin-top:2em;border-top:1px solid #ccc}
        """
}

/// Text from outside, which may hold anything.
private func escaped(_ text: String) -> String { XMLText.escapeAttribute(ValidationReport.printable(text)) }

private func both(_ japanese: String, _ english: String) -> String {
    "\(escaped(japanese))<span class=\"en\" lang=\"en\">\(escaped(english))</span>"
}

private func pair(_ japanese: String, _ english: String, _ value: String?) -> String {
    guard let value, !value.isEmpty else { return "" }
    return "<dl><dt>\(escaped(japanese)) / \(escaped(english))</dt><dd>\(escaped(value))</dd></dl>"
}

extension Verdict {
    fileprivate var japanese: String {
        switch self {
        case .passed: "署名は有効です"
        case .failed: "署名は無効です"
        case .indeterminate: "署名を確認しきれません"
        }
    }

    fileprivate var english: String {
        switch self {
        case .passed: "The signature is valid"
        case .failed: "The signature is not valid"
        case .indeterminate: "The signature could not be fully checked"
        }
    }

    fileprivate var japaneseAdvice: String {
        switch self {
        case .passed: "署名された部分は改ざんされておらず、署名者の証明書も有効です。"
        case .failed: "この文書を信頼しないでください。理由は下に示します。"
        case .indeterminate: "有効とも無効とも言えません。足りない情報は下に示します。"
        }
    }

    fileprivate var englishAdvice: String {
        switch self {
        case .passed: "What was signed is unchanged, and the signer's certificate holds."
        case .failed: "Do not rely on this document. The reasons stand below."
        case .indeterminate: "It is neither found good nor bad. What is missing stands below."
        }
    }
}

extension Finding {
    /// What the reason means for people, where it is one that they meet; the sentence stands in English anyway.
    private var japanese: String {
        switch reason {
        case "digest-mismatch", "signature-value-mismatch": "署名の後に内容が変えられています。"
        case "certificate-revoked": "証明書は署名の前に失効しています。"
        case "certificate-revoked-since": "証明書は失効しています。署名が失効より前だという証明がありません。"
        case "certificate-expired", "crl-after-expiry": "証明書の有効期限が過ぎています。期限内の署名だという証明がありません。"
        case "revocation-unknown", "crl-stale": "証明書が失効していないか、今は確認できません。後で再度お試しください。"
        case "no-path-to-anchor": "署名者の認証局が、信頼する認証局に登録されていません。"
        case "role-not-of-form": "署名者の資格では、この文書に署名できません。"
        case "not-well-formed", "no-signature", "not-an-e-prescription": "署名付き文書として読めません。"
        case "detached-content-missing": "署名された元のデータがありません。"
        case "algorithm-not-accepted", "algorithm-no-longer-accepted": "署名の暗号方式を受け入れられません。"
        case "certificate-algorithm-not-accepted", "certificate-algorithm-no-longer-accepted":
            "証明書の署名の暗号方式を受け入れられません。"
        default: "確認できない点、または誤りがあります。"
        }
    }

    fileprivate var item: String { "<li>\(both(japanese, "\(sentence) (\(reason))"))</li>" }
}

extension SignatureReport {
    fileprivate var section: String {
        let names = [signer?.japaneseName, signer?.commonName].compactMap(\.self).joined(separator: " / ")
        let parts = [
            "<section><h2>\(both(japaneseTitle, title))</h2>",
            "<p>\(escaped(indication.rawValue + (subIndication.map { " / \($0.rawValue)" } ?? "")))</p>",
            findings.isEmpty ? "" : "<ul>\(findings.map(\.item).joined())</ul>",
            remarks.isEmpty ? "" : "<ul>\(remarks.map { "<li>\(escaped($0.sentence))</li>" }.joined())</ul>",
            pair("署名者", "Signer", names), pair("資格", "Role", signer?.roles.joined(separator: ", ")),
            pair("認証局", "Authority", signer?.authority),
            pair("署名日時(署名者の申告)", "Signed at (the signer's word)", claimedSigningTime?.rfc3339),
            pair("存在が証明された日時", "Proven to exist at", provenSigningTime?.rfc3339),
            timeStamps.map(\.row).joined(),
            pair("署名の対象", "What is covered", covered.map(\.sentence).joined(separator: "; ")),
            pair("失効の確認", "Revocation", revocation.map(\.words).joined(separator: "; ")),
            pair("証明書の経路", "Certificate path", path.joined(separator: " ← ")),
            pair("署名レベル", "Level", level?.rawValue),
            pair("確認していない項目", "Not examined", notExamined.joined(separator: ", ")),
            "</section>",
        ]
        return parts.joined()
    }

    private var japaneseTitle: String {
        switch kind {
        case .prescription: "処方箋の署名"
        case .embeddedPrescription: "調剤結果に含まれる処方箋の署名"
        case .dispensing: "調剤結果の署名"
        case .xades: "XML 署名"
        case .cades: "CMS 署名"
        }
    }
}

extension TimeStampReport {
    fileprivate var row: String {
        pair(
            kind == .archive ? "アーカイブタイムスタンプ" : "タイムスタンプ",
            kind == .archive ? "Archive time stamp" : "Time stamp",
            ([time?.rfc3339, authority, indication.rawValue].compactMap(\.self) + findings.map(\.sentence))
                .joined(separator: ", "))
    }
}

extension RevocationSource {
    fileprivate var words: String { "\(kind.rawValue) \(thisUpdate.rfc3339 ?? "") (\(issuer))" }
}

import Foundation
import HPKI
import PKCS11

/// A probe's report for people, for machines, and for the table in docs/hsm.md.
struct ProbeText {
    let report: ProbeReport

    init(_ report: ProbeReport) { self.report = report }

    // MARK: For people

    var table: String {
        var lines = ["\(report.module.library) \(report.module.version) by \(report.module.manufacturer)"]
        lines += report.token.map { "  \(padded($0.name))\($0.value)" }
        lines += ["", "Mechanisms (smallest and largest key as the module gives them)"]
        lines += report.mechanisms.map { "  \(padded($0.name))\($0.smallestKey)–\($0.largestKey)" }
        lines += ["", "Key types"]
        for type in report.keyTypes {
            lines.append("  \(padded(type.name))\(description(of: type))")
        }
        lines += ["", "Wrapping key that was tried: \(report.wrappingKey)", "", "Steps"]
        lines += report.steps.map { "  \(mark($0.obstacle == nil))  \($0.name)\($0.obstacle.map { ": \($0)" } ?? "")" }
        lines += ["", "Attacks"]
        lines += report.attacks.map { attack in
            let (word, detail) = words(attack.result)
            return "  \(mark(attack.danger == nil))  \(attack.name): \(word) (\(detail))"
        }
        lines += ["", "Observed"]
        lines += report.abilities.map { "  \($0.name): \($0.value)" }
        lines += ["", verdict(.wrapped), verdict(.resident)]
        return lines.joined(separator: "\n")
    }

    private func verdict(_ custody: ProbeReport.Custody) -> String {
        let obstacles = report.obstacles(to: custody)
        guard let first = obstacles.first else { return "\(custody.rawValue) custody: allowed" }
        let more = obstacles.count > 1 ? " (and \(obstacles.count - 1) more)" : ""
        return "\(custody.rawValue) custody: NOT allowed: \(first)\(more)"
    }

    private func description(of type: ProbeReport.KeyType) -> String {
        if let obstacle = type.obstacle { return "no: \(obstacle)" }
        let signs = type.signatures.map { signature in
            signature.obstacle.map { "no \(signature.scheme): \($0)" } ?? signature.scheme
        }
        let time = type.generateMicroseconds.map { ", made in \(Int($0 / 1000)) ms" } ?? ""
        return signs.joined(separator: ", ") + time + (type.isSessionObject ? "" : ", as an object of the token alone")
    }

    private func mark(_ good: Bool) -> String { good ? "ok" : "NO" }

    private func padded(_ text: String) -> String { text.padding(toLength: 28, withPad: " ", startingAt: 0) }

    private func words(_ result: ProbeReport.Result) -> (word: String, detail: String) {
        switch result {
        case .refused(let detail): ("refused", detail)
        case .succeeded(let detail): ("succeeded", detail)
        case .notTried(let detail): ("not tried", detail)
        }
    }

    // MARK: For docs/hsm.md

    static let markdownHeader = """
        | module | makes | signs | wrapping key | attacks that succeed | sessions | wrapped | resident |
        |---|---|---|---|---|---|---|---|
        """

    var markdownRow: String {
        let made = report.keyTypes.filter { $0.obstacle == nil }
        var schemes: [String] = []
        for signature in made.flatMap(\.signatures)
        where signature.obstacle == nil && !schemes.contains(signature.scheme) {
            schemes.append(signature.scheme)
        }
        let successes = report.attacks.count { if case .succeeded = $0.result { true } else { false } }
        let cells = [
            "\(report.module.library) \(report.module.version)", made.map(\.name).joined(separator: ", "),
            schemes.joined(separator: ", "), report.wrappingKey, "\(successes) of \(report.attacks.count)",
            report.token.first { $0.name == "sessions" }?.value ?? "", cell(.wrapped), cell(.resident),
        ]
        return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }

    private func cell(_ custody: ProbeReport.Custody) -> String {
        report.obstacles(to: custody).first.map { "no: \($0)" } ?? "yes"
    }

    // MARK: For machines

    func json() throws -> String {
        let object: [String: Any] = [
            "module": [
                "manufacturer": report.module.manufacturer, "library": report.module.library,
                "version": report.module.version,
            ],
            "token": facts(report.token),
            "mechanisms": report.mechanisms.map {
                ["name": $0.name, "smallestKey": $0.smallestKey, "largestKey": $0.largestKey] as [String: Any]
            },
            "keyTypes": report.keyTypes.map(json(of:)),
            "wrappingKey": report.wrappingKey,
            "steps": report.steps.map { step in
                ["custody": step.custody.rawValue, "name": step.name, "obstacle": step.obstacle ?? NSNull()]
                    as [String: Any]
            },
            "attacks": report.attacks.map { attack in
                let (word, detail) = words(attack.result)
                return ["custody": attack.custody.rawValue, "name": attack.name, "result": word, "detail": detail]
            },
            "observed": facts(report.abilities),
            "allowsWrappedCustody": report.allowsWrappedCustody,
            "allowsResidentCustody": report.allowsResidentCustody,
        ]
        let data = try JSONSerialization.data(
            withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }

    private func facts(_ facts: [ProbeReport.Fact]) -> [[String: String]] {
        facts.map { ["name": $0.name, "value": $0.value] }
    }

    private func json(of type: ProbeReport.KeyType) -> [String: Any] {
        [
            "name": type.name, "obstacle": type.obstacle ?? NSNull(), "isSessionObject": type.isSessionObject,
            "generateMicroseconds": type.generateMicroseconds ?? NSNull(),
            "subjectPublicKeyInfo": Data(type.subjectPublicKeyInfo).base64EncodedString(),
            "signatures": type.signatures.map { signature in
                [
                    "scheme": signature.scheme, "obstacle": signature.obstacle ?? NSNull(),
                    "value": Data(signature.value).base64EncodedString(),
                ] as [String: Any]
            },
        ]
    }
}

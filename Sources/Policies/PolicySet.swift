package import HPKI

/// The rules that decide whether a key may be used: pure, deterministic, deny by default.
///
/// A request is denied by the first deny rule whose conditions do not hold; otherwise permitted by the first permit
/// rule whose conditions hold; otherwise denied by `default-deny`.
package struct PolicySet: Sendable {
    package let name: String
    /// SHA-256 over the file that the set was read from.
    package let hash: Digest
    let rules: [Rule]

    /// The rule id of a denial that no rule of the set decided.
    package static let defaultRule = "default-deny"

    /// The decision and the rule that made it; what `policy test` compares.
    package func decide(_ action: Action, _ asker: PolicyAsker, _ facts: PolicyFacts) -> Decision {
        let concerned = rules.filter { $0.concerns(action) }
        if let rule = concerned.first(where: { $0.effect == .deny && !$0.holds(for: asker, facts) }) {
            return Decision(permits: false, rule: rule.id, says: rule.says)
        }
        if let rule = concerned.first(where: { $0.effect == .permit && $0.holds(for: asker, facts) }) {
            return Decision(permits: true, rule: rule.id, says: rule.says)
        }
        return Decision(
            permits: false, rule: Self.defaultRule, says: "No rule permits this; what no rule permits is denied.")
    }

    /// A decision with the rule that made it.
    package struct Decision: Sendable, Hashable {
        package let permits: Bool
        package let rule: String
        package let says: String
    }

    /// The ids of all rules, in order, and `default-deny` last.
    package var ruleIDs: [String] { rules.map(\.id) + [Self.defaultRule] }
}

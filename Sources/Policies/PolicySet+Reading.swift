internal import Foundation
import HPKI
internal import Identity
package import YAML

extension PolicySet {
    /// Reads a policy set from its YAML file; loads it whole or not at all (the notation stands in `policies/README.md`).
    package init(reading file: [UInt8]) throws(YAMLError) {
        let root = try YAMLNode.read(file).mapping(allowed: ["set", "version", "rules"])
        _ = try root.required("version").integer(in: 1...1)
        name = try root.required("set").string(atMost: 64)
        hash = Digest(of: file)
        var rules: [Rule] = []
        var ids: Set<String> = [Self.defaultRule]
        for node in try root.required("rules").sequence(atMost: 1000) {
            let rule = try Rule(node)
            guard ids.insert(rule.id).inserted else {
                throw node.fault("a rule with an id of its own: \(rule.id) is taken")
            }
            rules.append(rule)
        }
        self.rules = rules
    }

    /// The set that ships with the product: `policies/signing.yaml`.
    package static var shippedFile: [UInt8] { PackageResources.signing_yaml }

    /// The tests that stand beside it: `policies/signing.tests.yaml`.
    package static var shippedTests: [UInt8] { PackageResources.signing_tests_yaml }
}

extension Rule {
    fileprivate init(_ node: YAMLNode) throws(YAMLError) {
        let map = try node.mapping(allowed: ["id", "says", "effect", "actions", "forms", "when", "unless"])
        id = try map.required("id").string(atMost: 64)
        says = try map.required("says").string(atMost: 400)
        effect = try map.required("effect").choice(Effect.self)
        var actions: Set<String> = []
        for node in try map.required("actions").filledSequence(atMost: 10) {
            actions.insert(try node.choice(ActionName.self).rawValue)
        }
        self.actions = actions
        forms = try map["forms"].map { (node) throws(YAMLError) in try node.choices(DocumentForm.self) }
        // The word tells the reader which way the conditions work, so it must fit the effect.
        let (word, other) = effect == .deny ? ("unless", "when") : ("when", "unless")
        if let wrong = map[other] {
            throw wrong.fault("`\(word)`: a rule with effect \(effect.rawValue) has no `\(other)`")
        }
        conditions = try Condition.read(try map.required(word))
    }
}

private enum ActionName: String, CaseIterable {
    case signDocument = "sign-document"
    case signDigest = "sign-digest"
    case provePossession = "prove-possession"
}

extension Condition {
    fileprivate static func read(_ node: YAMLNode) throws(YAMLError) -> [Condition] {
        let map = try node.mapping(allowed: [
            "certificate-role", "token-role", "authentication", "authentication-age", "client", "facility",
            "prescription", "asker",
        ])
        // Without a condition a permit rule would permit everything, and a deny rule deny nothing.
        guard !map.entries.isEmpty else { throw node.fault("at least one condition") }
        var conditions: [Condition] = []
        for entry in map.entries {
            conditions.append(try read(entry.key, entry.value))
        }
        return conditions
    }

    private static func read(_ key: String, _ node: YAMLNode) throws(YAMLError) -> Condition {
        switch key {
        case "certificate-role": return .certificateRole(try node.words())
        case "token-role":
            var roles = try node.words()
            let silentAllowed = roles.remove("none-claimed") != nil
            return .tokenRole(roles, silentAllowed: silentAllowed)
        case "authentication": return .authentication(try node.choices(AuthenticationMethod.self))
        case "authentication-age": return .authenticationAge(Int64(try node.duration(in: 1...86_400)))
        case "client": return .client(try node.choices(ClientStanding.self))
        case "facility": return .facility(try node.choices(ClientRegistration.FacilityKind.self))
        case "asker": return .asker(try node.choices(PolicyAsker.Kind.self))
        case "prescription": return .prescription(try node.choices(PolicyFacts.Prescription.self))
        default: throw node.fault("a known condition")
        }
    }
}

extension PolicyFacts.Prescription: CaseIterable {
    package static let allCases: [PolicyFacts.Prescription] = [.none, .passed, .acknowledged, .indeterminate]
}

extension YAMLNode {
    func choices<Choice: RawRepresentable & CaseIterable & Hashable>(
        _ type: Choice.Type
    ) throws(YAMLError) -> Set<Choice> where Choice.RawValue == String {
        var choices: Set<Choice> = []
        for node in try filledSequence(atMost: 100) { choices.insert(try node.choice(type)) }
        return choices
    }

    fileprivate func words() throws(YAMLError) -> Set<String> {
        var words: Set<String> = []
        for node in try filledSequence(atMost: 100) { words.insert(try node.string()) }
        return words
    }

    /// An empty list is a slip that would turn a rule off, or fix what it says.
    fileprivate func filledSequence(atMost limit: Int) throws(YAMLError) -> [YAMLNode] {
        let nodes = try sequence(atMost: limit)
        guard !nodes.isEmpty else { throw fault("must have at least one entry") }
        return nodes
    }
}

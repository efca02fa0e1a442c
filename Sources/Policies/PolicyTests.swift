package import HPKI
package import YAML

/// The tests that stand beside a policy set: requests with the decision and the rule that must make it.
package struct PolicyTests: Sendable {
    /// One test.
    struct Test: Sendable {
        let name: String
        let request: PolicyRequest
        let permits: Bool
        let rule: String
    }

    /// The name of the set that the tests are of.
    let set: String
    let tests: [Test]

    /// What running the tests found.
    package struct Report: Sendable, Hashable {
        package let count: Int
        /// A sentence for each test that came out otherwise, and for each rule that no test decides by.
        package let faults: [String]
    }

    /// Reads the tests from their YAML file.
    package init(reading file: [UInt8]) throws(YAMLError) {
        let root = try YAMLNode.read(file).mapping(allowed: ["set", "tests"])
        set = try root.required("set").string(atMost: 64)
        var tests: [Test] = []
        for node in try root.required("tests").sequence() {
            let map = try node.mapping(allowed: ["name", "request", "decision", "rule"])
            tests.append(
                Test(
                    name: try map.required("name").string(),
                    request: try PolicyRequest(try map.required("request")),
                    permits: try map.required("decision").choice(Rule.Effect.self) == .permit,
                    rule: try map.required("rule").string(atMost: 64)
                )
            )
        }
        self.tests = tests
    }

    /// Runs every test against `set`.
    package func run(against set: PolicySet) -> Report {
        var faults: [String] = []
        if self.set != set.name { faults.append("the tests are of the set \(self.set), not of \(set.name)") }
        var deciding: Set<String> = []
        for test in tests {
            let decision = set.decide(test.request.action, test.request.asker, test.request.facts)
            deciding.insert(decision.rule)
            if decision.permits != test.permits || decision.rule != test.rule {
                let word = decision.permits ? "permitted" : "denied"
                faults.append("\(test.name): \(word) by \(decision.rule), expected \(test.rule)")
            }
        }
        for rule in set.ruleIDs where !deciding.contains(rule) {
            faults.append("no test is decided by the rule \(rule)")
        }
        return Report(count: tests.count, faults: faults)
    }
}

/// A request as tests and `policy explain` write it.
package struct PolicyRequest: Sendable, Hashable {
    package let action: Action
    package let asker: PolicyAsker
    package let facts: PolicyFacts

    /// Reads a request; what is left out is the most ordinary.
    package init(_ node: YAMLNode) throws(YAMLError) {
        let map = try node.mapping(allowed: [
            "action", "form", "certificate-roles", "token-roles", "authentication", "authentication-age", "client",
            "prescription", "asker",
        ])
        let form = try map["form"]?.choice(DocumentForm.self)
        switch try map["action"]?.string() ?? "sign-document" {
        case "sign-document": action = .signDocument(form ?? .other)
        case "sign-digest": action = .signDigest
        case "prove-possession": action = .provePossession
        default: throw node.fault("a known action")
        }
        let client = try map["client"]?.choice(Client.self)
        asker = PolicyAsker(
            tokenRoles: try map["token-roles"]?.strings().map { HCRole($0) },
            method: try map["authentication"]?.choice(AuthenticationMethod.self) ?? .hpkiCard,
            namesClient: client != nil,
            kind: try map["asker"]?.choice(PolicyAsker.Kind.self) ?? .holder
        )
        facts = PolicyFacts(
            certificateRoles: try map["certificate-roles"]?.strings().map { HCRole($0) } ?? [],
            client: client?.registration,
            prescription: try map["prescription"]?.choice(PolicyFacts.Prescription.self) ?? .none,
            authenticationAge: Int64(try map["authentication-age"]?.duration(in: 0...86_400) ?? 0)
        )
    }
}

/// The client of a test's request; left out, the token names none.
private enum Client: String, CaseIterable {
    case unregistered
    case medical
    case pharmacy

    var registration: ClientRegistration? {
        guard let kind = ClientRegistration.FacilityKind(rawValue: rawValue), let id = ClientID("test-client") else {
            return nil
        }
        return ClientRegistration(id: id, facility: "0000000", kind: kind)
    }
}

import Foundation
import HPKI
import Identity
import Policies
import Testing
import YAML

@Suite struct PolicySetTests {
    private static let folder = URL(filePath: #filePath).appending(path: "../../../policies").standardizedFileURL

    private static func file(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: name)))
    }

    @Test func `the shipped set is the file in the repository, and its tests pass and decide by every rule`() throws {
        #expect(try Self.file("signing.yaml") == PolicySet.shippedFile)
        let set = try PolicySet(reading: PolicySet.shippedFile)
        let report = try PolicyTests(reading: Self.file("signing.tests.yaml")).run(against: set)
        #expect(report.faults == [])
        #expect(report.count >= set.ruleIDs.count)
        #expect(set.hash == Digest(of: PolicySet.shippedFile))
    }

    @Test func `each rule of the table in the README is one of the set, and the other way round`() throws {
        let readme = String(decoding: try Self.file("README.md"), as: UTF8.self)
        let table = readme.split(separator: "## validation.yaml")[0]
        let rows = table.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let named = rows.flatMap { row in
            row.split(separator: "|")[0].split(separator: "`").filter { $0.contains("e") && !$0.contains(" ") }
        }
        #expect(named.map(String.init).sorted() == (try PolicySet(reading: PolicySet.shippedFile)).ruleIDs.sorted())
    }

    @Test func `every rule of the shipped set matters: without it a test fails`() throws {
        let text = String(decoding: PolicySet.shippedFile, as: UTF8.self)
        let tests = try PolicyTests(reading: Self.file("signing.tests.yaml"))
        let parts = text.components(separatedBy: "\n  - id: ")
        for index in parts.indices.dropFirst() {
            var fewer = parts
            fewer.remove(at: index)
            let set = try PolicySet(reading: Array(fewer.joined(separator: "\n  - id: ").utf8))
            #expect(tests.run(against: set).faults != [], "\(parts[index].prefix(30))")
        }
    }

    @Test func `a report names the test that came out otherwise, the rule nobody tests, and the wrong set`() throws {
        let set = try PolicySet(reading: Array(policy().utf8))
        let tests = try PolicyTests(
            reading: Array(
                """
                set: other
                tests:
                  - name: a nurse
                    request: {form: other, certificate-roles: [Nurse]}
                    decision: permit
                    rule: may
                """.utf8))
        let report = tests.run(against: set)
        #expect(
            report.faults == [
                "the tests are of the set other, not of trial", "a nurse: denied by must, expected may",
                "no test is decided by the rule may", "no test is decided by the rule default-deny",
            ])
    }

    @Test func `what no rule permits is denied by default`() throws {
        let set = try PolicySet(reading: Array("set: empty\nversion: 1\nrules: []\n".utf8))
        for action in [Action.signDocument(.prescription), .signDocument(.other), .signDigest, .provePossession] {
            let decision = set.decide(action, asker(), facts(["Medical Doctor"]))
            #expect(!decision.permits && decision.rule == "default-deny")
        }
    }

    @Test func `a denial names its rule and says it in plain words`() throws {
        let set = try PolicySet(reading: PolicySet.shippedFile)
        let decision = set.decide(.signDocument(.prescription), asker(), facts(["General Nurse"]))
        #expect(!decision.permits && decision.rule == "prescribing-needs-prescriber")
        #expect(
            decision.says == "A prescription is signed by a medical doctor or a dentist; the certificate names neither."
        )
    }

    @Test func `each condition is met by any of its values, and all conditions of a rule must hold`() throws {
        let set = try PolicySet(
            reading: Array(
                """
                set: trial
                version: 1
                rules:
                  - id: may
                    says: May.
                    effect: permit
                    actions: [sign-digest, prove-possession]
                    when:
                      certificate-role: [Doctor, Dentist]
                      token-role: [Doctor]
                      authentication: [hpki-card, jpki-card]
                      authentication-age: 5m
                      client: [registered]
                      facility: [medical]
                """.utf8))
        func permits(
            _ roles: [String] = ["Dentist"], token: [String]? = ["Doctor"], method: AuthenticationMethod = .jpkiCard,
            age: Int64 = 300, client: ClientRegistration.FacilityKind? = .medical, names: Bool = true,
            action: Action = .signDigest
        ) -> Bool {
            var facts = facts(roles)
            facts.authenticationAge = age
            facts.client = client.map { ClientRegistration(id: ClientID("c")!, facility: "1", kind: $0) }
            let asker = PolicyAsker(tokenRoles: token.map { $0.map { HCRole($0) } }, method: method, namesClient: names)
            return set.decide(action, asker, facts).permits
        }
        #expect(permits())
        #expect(permits(["Nurse", "Doctor"]))
        #expect(permits(action: .provePossession))
        #expect(!permits(["Nurse"]))
        #expect(!permits([]))
        #expect(!permits(token: nil), "a silent token claims no role where none-claimed is not listed")
        #expect(!permits(token: []))
        #expect(!permits(method: .passkeySynced))
        #expect(!permits(age: 301))
        #expect(!permits(client: .pharmacy))
        #expect(!permits(client: nil))
        #expect(!permits(client: nil, names: false))
        #expect(!permits(action: .signDocument(.prescription)))
    }

    @Test(arguments: [
        ("version: 1", "version: 2"),
        ("version: 1", "version: 1\ncolour: red"),
        ("set: trial", "name: trial"),
        ("id: may", "id: must"),
        ("id: may", "id: default-deny"),
        ("id: may", "id: ''"),
        ("id: may", "label: may"),
        ("says: May.", "says: May.\n    note: x"),
        ("says: May.", "effect: permit"),
        ("effect: permit", "effect: allow"),
        ("actions: [sign-document]\n    when", "actions: [sign]\n    when"),
        ("actions: [sign-document]\n    when", "actions: []\n    when"),
        ("actions: [sign-document]\n    when", "actions: [sign-document]\n    forms: [letter]\n    when"),
        ("actions: [sign-document]\n    when", "actions: [sign-document]\n    forms: []\n    when"),
        ("actions: [sign-document]\n    when", "actions: [sign-document]\n    unless"),
        ("actions: [sign-document]\n    unless", "actions: [sign-document]\n    when"),
        ("when: {client: [unnamed]}", "when: {}"),
        ("when: {client: [unnamed]}", "when: {client: []}"),
        ("when: {client: [unnamed]}", "when: {client: unnamed}"),
        ("when: {client: [unnamed]}", "when: {client: [known]}"),
        ("when: {client: [unnamed]}", "when: {weather: [fine]}"),
        ("when: {client: [unnamed]}", "when: {authentication-age: 0s}"),
        ("when: {client: [unnamed]}", "when: {authentication-age: 300}"),
        ("when: {client: [unnamed]}", "when: {facility: [hospital]}"),
        ("when: {client: [unnamed]}", "when: {certificate-role: []}"),
        ("when: {client: [unnamed]}", "when: {prescription: [failed]}"),
        ("when: {client: [unnamed]}", "when: {client: [unnamed]}\n    unless: {client: [unnamed]}"),
        ("    when: {client: [unnamed]}\n", ""),
        ("unless: {certificate-role: [Doctor]}", "unless: {}"),
        ("rules:", "rules: &all"),
    ])
    func `a set with one fault is not loaded at all`(right: String, wrong: String) throws {
        #expect(throws: Never.self) { try PolicySet(reading: Array(policy().utf8)) }
        let faulty = policy().replacingOccurrences(of: right, with: wrong)
        #expect(faulty != policy())
        #expect(throws: YAMLError.self) { try PolicySet(reading: Array(faulty.utf8)) }
    }

    @Test(arguments: [
        ("name: a", "title: a"), ("decision: deny", "decision: refuse"), ("rule: must", "rules: must"),
        ("certificate-roles: [Nurse]", "certificate-role: [Nurse]"), ("form: other", "form: letter"),
        ("form: other", "client: hospital"), ("form: other", "action: sign"),
        ("form: other", "authentication: password"), ("form: other", "prescription: failed"),
        ("form: other", "authentication-age: 2d"), ("set: trial\n", ""),
    ])
    func `a test file with one fault is not loaded at all`(right: String, wrong: String) throws {
        let file = """
            set: trial
            tests:
              - name: a
                request: {form: other, certificate-roles: [Nurse]}
                decision: deny
                rule: must
            """
        #expect(throws: Never.self) { try PolicyTests(reading: Array(file.utf8)) }
        let faulty = file.replacingOccurrences(of: right, with: wrong)
        #expect(faulty != file)
        #expect(throws: YAMLError.self) { try PolicyTests(reading: Array(faulty.utf8)) }
    }

    private func policy() -> String {
        """
        set: trial
        version: 1
        rules:
          - id: must
            says: Must.
            effect: deny
            actions: [sign-document]
            unless: {certificate-role: [Doctor]}
          - id: may
            says: May.
            effect: permit
            actions: [sign-document]
            when: {client: [unnamed]}

        """
    }

    private func asker() -> PolicyAsker { PolicyAsker(tokenRoles: nil, method: .hpkiCard, namesClient: false) }

    private func facts(_ roles: [String]) -> PolicyFacts {
        PolicyFacts(
            certificateRoles: roles.map { HCRole($0) }, client: nil, prescription: .none, authenticationAge: 0
        )
    }
}

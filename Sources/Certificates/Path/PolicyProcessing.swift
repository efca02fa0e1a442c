/// The inputs of a path's policy processing that are the relying party's to choose (RFC 5280 §6.1.1 (c) to (g)).
package struct PolicyInputs: Sendable, Hashable {
    /// user-initial-policy-set, as dotted OIDs; nil for any policy.
    package var initialPolicies: Set<String>?
    /// initial-explicit-policy: the path must be valid for at least one of the initial policies.
    package var requiresExplicitPolicy: Bool
    /// initial-policy-mapping-inhibit.
    package var inhibitsMapping: Bool
    /// initial-any-policy-inhibit.
    package var inhibitsAnyPolicy: Bool

    /// Inputs that ask nothing beyond what the path's own authorities ask, unless told otherwise.
    package init(
        initialPolicies: Set<String>? = nil, requiresExplicitPolicy: Bool = false, inhibitsMapping: Bool = false,
        inhibitsAnyPolicy: Bool = false
    ) {
        self.initialPolicies = initialPolicies
        self.requiresExplicitPolicy = requiresExplicitPolicy
        self.inhibitsMapping = inhibitsMapping
        self.inhibitsAnyPolicy = inhibitsAnyPolicy
    }
}

/// Walks a path from its anchor and keeps the policies that are valid so far (RFC 5280 §6.1.2 to §6.1.5).
///
/// RFC 9618's valid policy graph is needed only for the question from which policies of the first domain those of the
/// last certificate descend. Every policy of the present depth therefore carries these ancestors along, which is at
/// most policies times policies, and the levels above are dropped.
struct PolicyProcessing {
    private struct Node {
        /// What the next certificate may call this policy.
        var expected: Set<String>
        /// The policies of the domain nearest to the anchor that this one descends from; empty for anyPolicy.
        var origins: Set<String>
    }

    /// The nodes of the present depth by their valid policy; empty is the NULL graph.
    private var level = [OID.anyPolicy: Node(expected: [OID.anyPolicy], origins: [])]
    private var explicitPolicy: Int
    private var policyMapping: Int
    private var inhibitAnyPolicy: Int

    /// True where the policies of `chain`, from the holder to the anchor, are valid.
    ///
    /// The anchor's own limits count (RFC 5937 §3); its policies narrow the initial ones.
    static func accepts(_ chain: [HPKICertificate], _ inputs: PolicyInputs) -> Bool {
        guard let anchor = chain.last, let leaf = chain.first, chain.count > 1 else { return false }
        var wanted = inputs.initialPolicies.flatMap { $0.contains(OID.anyPolicy) ? nil : $0 }
        let anchored = Set(anchor.policies)
        if !anchored.isEmpty, !anchored.contains(OID.anyPolicy) { wanted = wanted?.intersection(anchored) ?? anchored }
        var processing = PolicyProcessing(length: chain.count - 1, inputs)
        processing.apply(anchor.extensions.policyLimits)
        for certificate in chain.dropLast().dropFirst().reversed() {
            guard processing.take(certificate, isLast: false), processing.prepare(certificate) else { return false }
        }
        return processing.take(leaf, isLast: true) && processing.wrapUp(leaf, wanted)
    }

    private init(length: Int, _ inputs: PolicyInputs) {
        explicitPolicy = inputs.requiresExplicitPolicy ? 0 : length + 1
        policyMapping = inputs.inhibitsMapping ? 0 : length + 1
        inhibitAnyPolicy = inputs.inhibitsAnyPolicy ? 0 : length + 1
    }

    /// §6.1.3 (d) to (f).
    private mutating func take(_ certificate: HPKICertificate, isLast: Bool) -> Bool {
        var next: [String: Node] = [:]
        for policy in certificate.policies where policy != OID.anyPolicy {
            if let origins = origins(expecting: policy) {
                next[policy] = Node(expected: [policy], origins: origins)
            } else if level[OID.anyPolicy] != nil {
                next[policy] = Node(expected: [policy], origins: [policy])
            }
        }
        let countsAny = inhibitAnyPolicy > 0 || (!isLast && certificate.isSelfIssued)
        if countsAny, certificate.policies.contains(OID.anyPolicy) {
            for policy in Set(level.values.flatMap(\.expected)) where next[policy] == nil {
                next[policy] = Node(expected: [policy], origins: origins(expecting: policy) ?? [])
            }
        }
        level = next
        return explicitPolicy > 0 || !level.isEmpty
    }

    /// The ancestors of every node that expects `policy`, or nil where none does.
    private func origins(expecting policy: String) -> Set<String>? {
        let parents = level.values.filter { $0.expected.contains(policy) }
        return parents.isEmpty ? nil : parents.reduce(into: []) { $0.formUnion($1.origins) }
    }

    /// §6.1.4 (a), (b) and (h) to (j).
    private mutating func prepare(_ certificate: HPKICertificate) -> Bool {
        let limits = certificate.extensions.policyLimits
        var mapped: [String: Set<String>] = [:]
        for mapping in limits.mappings {
            guard mapping.issuerDomainPolicy != OID.anyPolicy, mapping.subjectDomainPolicy != OID.anyPolicy else {
                return false
            }
            mapped[mapping.issuerDomainPolicy, default: []].insert(mapping.subjectDomainPolicy)
        }
        for (policy, subjects) in mapped {
            if policyMapping == 0 {
                level[policy] = nil
            } else if level[policy] != nil {
                level[policy]?.expected = subjects
            } else if level[OID.anyPolicy] != nil {
                level[policy] = Node(expected: subjects, origins: [policy])
            }
        }
        if !certificate.isSelfIssued {
            explicitPolicy = max(explicitPolicy - 1, 0)
            policyMapping = max(policyMapping - 1, 0)
            inhibitAnyPolicy = max(inhibitAnyPolicy - 1, 0)
        }
        apply(limits)
        return true
    }

    private mutating func apply(_ limits: PolicyLimits) {
        explicitPolicy = min(explicitPolicy, limits.requireExplicitPolicy ?? explicitPolicy)
        policyMapping = min(policyMapping, limits.inhibitPolicyMapping ?? policyMapping)
        inhibitAnyPolicy = min(inhibitAnyPolicy, limits.inhibitAnyPolicy ?? inhibitAnyPolicy)
    }

    /// §6.1.5 (a), (b) and (g).
    private mutating func wrapUp(_ leaf: HPKICertificate, _ wanted: Set<String>?) -> Bool {
        explicitPolicy = max(explicitPolicy - 1, 0)
        if leaf.extensions.policyLimits.requireExplicitPolicy == 0 { explicitPolicy = 0 }
        if explicitPolicy > 0 { return true }
        guard let wanted else { return !level.isEmpty }
        if level[OID.anyPolicy] != nil, !wanted.isEmpty { return true }
        return level.values.contains { !$0.origins.isDisjoint(with: wanted) }
    }
}

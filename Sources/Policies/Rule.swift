import HPKI
import Identity

/// One rule of a policy set.
struct Rule: Sendable, Hashable {
    enum Effect: String, Sendable, Hashable, CaseIterable {
        case permit
        case deny
    }

    let id: String
    /// The rule in plain words; what a refused caller reads.
    let says: String
    let effect: Effect
    let actions: Set<String>
    /// The forms the rule is about; nil for every form.
    let forms: Set<DocumentForm>?
    /// A deny rule applies *unless* these hold; a permit rule applies *when* they hold.
    let conditions: [Condition]

    func concerns(_ action: Action) -> Bool {
        guard actions.contains(action.name) else { return false }
        guard let forms else { return true }
        return action.form.map(forms.contains) ?? false
    }

    func holds(for asker: PolicyAsker, _ facts: PolicyFacts) -> Bool {
        conditions.allSatisfy { $0.holds(for: asker, facts) }
    }
}

/// One condition: true when any of its values fits.
enum Condition: Sendable, Hashable {
    /// The certificate carries one of these roles.
    case certificateRole(Set<String>)
    /// The token claims one of these roles, or, where `silentAllowed`, claims none at all.
    case tokenRole(Set<String>, silentAllowed: Bool)
    case authentication(Set<AuthenticationMethod>)
    /// Seconds since the authentication, at most.
    case authenticationAge(Int64)
    case client(Set<ClientStanding>)
    case facility(Set<ClientRegistration.FacilityKind>)
    case prescription(Set<PolicyFacts.Prescription>)
    case asker(Set<PolicyAsker.Kind>)

    enum ClientStanding: String, Sendable, Hashable, CaseIterable {
        case registered
        case unregistered
        /// The token names no client.
        case unnamed
    }

    func holds(for asker: PolicyAsker, _ facts: PolicyFacts) -> Bool {
        switch self {
        case .certificateRole(let wanted):
            return facts.certificateRoles.contains { wanted.contains($0.description) }
        case .tokenRole(let wanted, let silentAllowed):
            guard let claimed = asker.tokenRoles else { return silentAllowed }
            return claimed.contains { wanted.contains($0.description) }
        case .authentication(let wanted):
            return wanted.contains(asker.method)
        case .authenticationAge(let most):
            return facts.authenticationAge <= most
        case .client(let wanted):
            let standing: ClientStanding =
                !asker.namesClient ? .unnamed : facts.client == nil ? .unregistered : .registered
            return wanted.contains(standing)
        case .facility(let wanted):
            // A token that names no client says nothing of a facility; whether that is enough is the client rule's.
            guard asker.namesClient else { return true }
            return facts.client.map { wanted.contains($0.kind) } ?? false
        case .prescription(let wanted):
            return wanted.contains(facts.prescription)
        case .asker(let wanted):
            return wanted.contains(asker.kind)
        }
    }
}

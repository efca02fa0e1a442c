package import HPKI
package import Identity

/// A policy's leave to use one key once: the third ticket of the chain, used up by recording the intent.
///
/// Only `PolicySet.permit` makes one. It names one action on one occurrence: the digest that may be signed.
package struct Permit: ~Copyable, Sendable {
    package let party: Party
    package let action: Action
    /// The digest of what the caller asked to have signed.
    package let occurrence: Digest
    /// The id of the rule that permitted.
    package let rule: String
    /// SHA-256 over the policy set's file.
    package let policyHash: Digest

    /// On whose account a key is used.
    package enum Party: Sendable, Hashable {
        case holder(Caller, Activation)
        /// An authority has a new key of this holder prove its possession; nothing else of a holder's is open to it.
        case authority(AuthorityCaller, holder: HolderID)
    }

    /// Whose key it is.
    package var holder: HolderID {
        switch party {
        case .holder(let caller, _): caller.holder
        case .authority(_, let holder): holder
        }
    }

    fileprivate init(party: Party, action: Action, occurrence: Digest, rule: String, policyHash: Digest) {
        self.party = party
        self.action = action
        self.occurrence = occurrence
        self.rule = rule
        self.policyHash = policyHash
    }
}

/// A policy's refusal: which rule, in which set, and what the rule says in plain words.
package struct Denial: Error, Sendable, Hashable {
    package let rule: String
    package let says: String
    package let policyHash: Digest

    /// The failure that the caller is told.
    package var failure: Failure {
        Failure(.denied, says, rule: rule)
    }
}

extension PolicySet {
    /// Decides on one occurrence; throws the denial with its rule.
    package func permit(
        _ action: Action, on occurrence: Digest, by caller: Caller, with activation: Activation, facts: PolicyFacts
    ) throws(Denial) -> Permit {
        // An activation of another holder can only be a mistake of this program; it permits nothing.
        guard activation.holder == caller.holder else {
            throw Denial(rule: Self.defaultRule, says: "The activation belongs to another holder.", policyHash: hash)
        }
        let decision = decide(action, PolicyAsker(caller), facts)
        guard decision.permits else { throw Denial(rule: decision.rule, says: decision.says, policyHash: hash) }
        return Permit(
            party: .holder(caller, activation), action: action, occurrence: occurrence, rule: decision.rule,
            policyHash: hash
        )
    }

    /// Decides whether a new key of `holder` may sign its certification request; throws the denial with its rule.
    package func permitPossession(
        on occurrence: Digest, of holder: HolderID, by authority: AuthorityCaller
    ) throws(Denial) -> Permit {
        let facts = PolicyFacts(certificateRoles: [], client: nil, prescription: .none, authenticationAge: 0)
        let decision = decide(.provePossession, .authority, facts)
        guard decision.permits else { throw Denial(rule: decision.rule, says: decision.says, policyHash: hash) }
        return Permit(
            party: .authority(authority, holder: holder), action: .provePossession, occurrence: occurrence,
            rule: decision.rule, policyHash: hash
        )
    }
}

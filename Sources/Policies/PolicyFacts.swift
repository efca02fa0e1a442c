package import HPKI
package import Identity

/// What a decision needs of the caller.
package struct PolicyAsker: Sendable, Hashable {
    /// The roles that the token claims; nil where it claims none.
    package let tokenRoles: [HCRole]?
    package let method: AuthenticationMethod
    /// Whether the token names a client system.
    package let namesClient: Bool
    package let kind: Kind

    /// Who may ask for a key to be used.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case holder
        /// A registration authority, for the certification request of a new key.
        case authority
    }

    /// An authority, which has no token and no client.
    package static let authority = PolicyAsker(
        tokenRoles: nil, method: .hpkiCard, namesClient: false, kind: .authority
    )

    /// The asker that a verified caller is.
    package init(_ caller: Caller) {
        self.init(tokenRoles: caller.tokenRoles, method: caller.method, namesClient: caller.client != nil)
    }

    /// An asker for tests of policies, which decide but never permit.
    package init(
        tokenRoles: [HCRole]?, method: AuthenticationMethod, namesClient: Bool, kind: Kind = .holder
    ) {
        self.kind = kind
        self.tokenRoles = tokenRoles
        self.method = method
        self.namesClient = namesClient
    }
}

/// What a decision rests on beside the caller's token: the certificate, the client's registration, the prescription.
package struct PolicyFacts: Sendable, Hashable {
    /// What was found of the prescription that a dispensing result carries.
    package enum Prescription: String, Sendable, Hashable {
        /// The document carries no prescription.
        case none
        case passed
        /// Indeterminate, and every reason acknowledged by the pharmacist.
        case acknowledged
        /// Indeterminate, and not every reason acknowledged.
        case indeterminate
    }

    /// The roles in the certificate of the key to be used.
    package var certificateRoles: [HCRole]
    /// The registration of the client that the token names: nil where the client is not registered here.
    package var client: ClientRegistration?
    package var prescription: Prescription
    /// Seconds since the holder authenticated.
    package var authenticationAge: Int64

    /// The facts of one request.
    package init(
        certificateRoles: [HCRole], client: ClientRegistration?, prescription: Prescription, authenticationAge: Int64
    ) {
        self.certificateRoles = certificateRoles
        self.client = client
        self.prescription = prescription
        self.authenticationAge = authenticationAge
    }
}

/// A client system as the operator registered it, with the facility it works for.
package struct ClientRegistration: Sendable, Hashable {
    /// What kind of facility the client works for.
    package enum FacilityKind: String, Sendable, Hashable, CaseIterable {
        case medical
        case pharmacy
    }

    package let id: ClientID
    /// The facility's code, as the health-insurance authorities give it.
    package let facility: String
    package let kind: FacilityKind

    /// A client with its facility.
    package init(id: ClientID, facility: String, kind: FacilityKind) {
        self.id = id
        self.facility = facility
        self.kind = kind
    }
}

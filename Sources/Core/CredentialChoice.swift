import HPKI
import Identity
import Keys
import Policies
import Storage
internal import Synchronization

/// Finds the credential that a request means.
final class CredentialChoice: Sendable {
    private let database: Database
    // Rows are read once a holder; whether a key may still be used is asked again in the intent's transaction.
    private let known = Mutex<[HolderID: [Credential]]>([:])
    private static let limit = 50_000

    init(database: Database) {
        self.database = database
    }

    /// The credential asked for, or the only one that `fits`; where none fits, any one, so that the policy refuses it
    /// with its rule.
    func credential(
        _ wanted: CredentialID?, of caller: Caller, fits: (Credential) -> Bool
    ) async throws(Failure) -> Credential {
        let credentials = try await credentials(of: caller.holder)
        if let wanted {
            // Another holder's credential is told apart from a missing one by nothing.
            guard let credential = credentials.first(where: { $0.id == wanted }) else {
                throw Failure(.noCredential, "No credential of this name belongs to the token's holder.")
            }
            return credential
        }
        let active = credentials.filter { $0.state == .active }
        let fitting = active.filter(fits)
        guard fitting.count <= 1 else {
            throw Failure(
                .ambiguousCredential, "More than one credential fits; name one in credentialID.",
                reasons: fitting.map(\.id.description)
            )
        }
        guard let credential = fitting.first ?? active.first ?? credentials.first else {
            throw Failure(.noCredential, "The token's holder has no second key here.")
        }
        return credential
    }

    private func credentials(of holder: HolderID) async throws(Failure) -> [Credential] {
        if let credentials = known.withLock({ $0[holder] }) { return credentials }
        let credentials: [Credential]
        do {
            credentials = try await database.read { try CredentialStore.credentials(of: holder, in: $0) }
        } catch {
            throw Failure(
                .coreUnavailable, "The registry cannot be read at present.", retryAfter: 5, cause: "\(error)"
            )
        }
        known.withLock { known in
            if known.count >= Self.limit { known = [:] }
            known[holder] = credentials
        }
        return credentials
    }
}

internal import HPKI
internal import Hummingbird

/// Failures as pages, for addresses that people visit.
protocol FailurePages: Sendable {
    /// The page for a failure at an address of this part; nil at any other.
    func response(_ failure: Failure, _ request: Request, _ context: APIContext, allow: String?) -> Response?
}

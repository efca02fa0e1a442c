internal import AsyncHTTPClient
internal import NIOCore
internal import NIOSSL

/// Why a request brought no answer, by what its caller can do about it.
package enum OutboundError: Error, Sendable, Hashable {
    /// The URL is not one that this client reads: absolute, without user, fragment or stray characters.
    case badURL(String)
    /// The rules forbid this address, scheme or folder.
    case refusedAddress(String)
    /// No connection, or one that broke: later it may work.
    case unreachable(String)
    /// The time is up.
    case timedOut
    /// TLS failed: the server's certificate is not trusted, or it speaks no TLS of ours.
    case untrusted(String)
    /// The body has more bytes than were allowed.
    case tooLarge(limit: Int)
    /// An answer of another status than 2xx.
    case status(Int)
    /// The trust roots given are no certificates in PEM.
    case badTrustRoots
}

extension OutboundError: CustomStringConvertible {
    /// One clause for an operator.
    package var description: String {
        switch self {
        case .badURL(let problem): "the URL is not usable: \(problem)"
        case .refusedAddress(let problem): "the address is not allowed: \(problem)"
        case .unreachable(let problem): "the server cannot be reached: \(problem)"
        case .timedOut: "the server did not answer in time"
        case .untrusted(let problem): "the server is not trusted: \(problem)"
        case .tooLarge(let limit): "the answer has more than \(limit) bytes"
        case .status(let code): "the server answered with status \(code)"
        case .badTrustRoots: "the trust roots are no certificates in PEM"
        }
    }

    /// Sorts an error of the libraries below.
    init(_ error: any Error, limit: Int) {
        switch error {
        case let error as OutboundError:
            self = error
        case is NIOTooManyBytesError:
            self = .tooLarge(limit: limit)
        case is CancellationError:
            self = .timedOut
        case let error as HTTPClientError:
            let timeouts: [HTTPClientError] = [.deadlineExceeded, .connectTimeout, .readTimeout, .cancelled]
            self = timeouts.contains(error) ? .timedOut : .unreachable(error.shortDescription)
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            self = .untrusted("TLS failed")
        default:
            self = .unreachable("no connection")
        }
    }
}

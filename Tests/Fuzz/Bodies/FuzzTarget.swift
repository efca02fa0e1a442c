package import HPKI

/// What is fed with arbitrary bytes: by libFuzzer (`make fuzz`), and by an ordinary test with the corpus.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case certificate
    case crl
    case ocsp
    case timeStampResponse = "tsp-response"
    case timeStampToken = "tsp-token"
    case cms
    case xml
    case canonicalization
    case validation
    case augmentation
    case yaml

    /// Feeds the target; says whether the bytes were read, and throws where what was read breaks a promise.
    package func run(_ bytes: [UInt8], oracle: (any CanonicalOracle)? = nil) throws(FuzzFinding) -> Bool {
        switch self {
        case .certificate: try DERBodies.certificate(bytes)
        case .crl: try DERBodies.list(bytes)
        case .ocsp: try DERBodies.ocsp(bytes)
        case .timeStampResponse: try DERBodies.timeStampResponse(bytes)
        case .timeStampToken: try DERBodies.timeStampToken(bytes)
        case .cms: try CMSBody.judge(bytes)
        case .xml: try XMLBodies.reading(bytes)
        case .canonicalization: try XMLBodies.canonicalization(bytes, oracle)
        case .validation: try ValidationBody.judge(bytes)
        case .augmentation: try AugmentationBody.raise(bytes)
        case .yaml: YAMLBody.read(bytes)
        }
    }
}

/// A broken promise: something that no input may bring about.
package struct FuzzFinding: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// Throws unless `condition` holds.
func promise(_ condition: Bool, _ text: @autoclosure () -> String) throws(FuzzFinding) {
    guard condition else { throw FuzzFinding(text()) }
}

/// The moment at which everything is judged: the corpora were made for it.
package let fuzzMoment = Instant(seconds: 1_790_000_000)

/// The moments at which time stamps were made for the corpora: over the value of a signature, over all of it, and now.
package let fuzzTimeStamps = [
    fuzzMoment.adding(seconds: -7200), fuzzMoment.adding(seconds: -3600), fuzzMoment,
]

/// What the detached signatures of the corpora are over.
package let fuzzContent = Array("診断書\r\n".utf8) + (0..<64).map { UInt8($0) }

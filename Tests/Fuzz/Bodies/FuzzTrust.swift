import Certificates
import Foundation
import Validation

/// The authorities that the corpora were made with, from `Tests/Fuzz/Trust`.
struct FuzzTrust: Sendable {
    let trust: TrustStore
    let path: PathValidator
    let validator: SignatureValidator
    let timeStamps: TimeStampRequirements
    /// The authority below the root that issued the holders' certificates.
    let authority: HPKICertificate
    /// The certificates of `leaves/`, which verify.
    let leaves: [HPKICertificate]
    /// The bytes of everything that was issued.
    let issued: Set<[UInt8]>

    static let shared: FuzzTrust = {
        do {
            return try FuzzTrust()
        } catch {
            preconditionFailure("Tests/Fuzz/Trust cannot be read: \(error)")
        }
    }()

    private init() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Trust").path
        let trust = try TrustStore.load(folder: folder)
        let lists = try CRLStore.load(folder: folder + "/crls", trust: trust)
        let leaves = try FileManager.default.contentsOfDirectory(atPath: folder + "/leaves").sorted().flatMap {
            try HPKICertificate.read(file: Array(Data(contentsOf: URL(filePath: "\(folder)/leaves/\($0)"))))
        }
        guard let issuer = leaves.first?.issuer,
            let authority = trust.intermediates.first(where: { $0.subject == issuer })
        else { throw FuzzFinding("no authority") }
        self.trust = trust
        self.leaves = leaves
        self.authority = authority
        issued = Set((leaves + trust.anchors + trust.intermediates).map(\.der))
        path = PathValidator(trust: trust, crls: lists, requirements: .hpkiSigning)
        validator = SignatureValidator(trust: trust, crls: lists)
        timeStamps = TimeStampRequirements(trust: trust, crls: lists, at: fuzzMoment)
    }
}

import Certificates
import Formats
import Foundation
import HPKI
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
    /// `SignedParts` of every signature and time stamp that was made.
    let signed: Set<Digest>
    /// What a signature is raised with.
    let material: ValidationMaterial
    /// A time stamp by SHA-256, and where its imprint stands in it.
    private let stamp: (token: [UInt8], imprint: Range<Int>)

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
        validator = SignatureValidator(
            trust: trust, crls: lists, timeStamps: TimeStampTrust(trust: trust, crls: lists))
        timeStamps = TimeStampRequirements(trust: trust, crls: lists, at: fuzzMoment)
        func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))) }
        signed = Set(
            String(decoding: try read("signed"), as: UTF8.self).split(separator: "\n").compactMap { line in
                Hex.decode(line).flatMap { Digest(algorithm: .sha256, bytes: $0) }
            })
        let token = try read("token")
        let imprint = try TimeStampToken(der: token).unverifiedInfo.imprint
        guard let place = token.firstRange(of: imprint.bytes), imprint.algorithm == .sha256, !signed.isEmpty else {
            throw FuzzFinding("no token by SHA-256")
        }
        stamp = (token, place)
        material = ValidationMaterial(
            certificates: trust.intermediates.map(\.der), crls: [try read("crls/tsa.crl")])
    }

    /// The time stamp with this imprint, by SHA-256; its signature is that of another.
    func token(of imprint: Digest) -> [UInt8] {
        stamp.token[..<stamp.imprint.lowerBound] + imprint.bytes + stamp.token[stamp.imprint.upperBound...]
    }
}

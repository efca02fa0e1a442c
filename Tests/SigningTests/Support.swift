import Certificates
import CoreProtocol
import Development
import Formats
import HPKI
import Signing
import Synchronization
import Validation

/// A core that signs with a key in software and remembers what it was asked.
final class SoftwareCore: CoreCalling {
    static let now = Instant(seconds: 1_790_000_000)
    static let shared = Result { try Authority() }

    struct Authority {
        let doctor: Holder
        let pharmacist: Holder
        let validator: SignatureValidator
        let pki: DevelopmentPKI

        init() throws {
            var pki = try DevelopmentPKI.create(random: Random { Array(repeating: 7, count: $0) }, now: now)
            func holder(_ role: HCRole) throws -> Holder {
                let key = try DevelopmentKey.rsa2048()
                let profile = HolderProfile(
                    romajiName: "Umino Haruka", japaneseName: "海野 はるか", identifier: "1", roles: [role])
                return Holder(
                    key: key,
                    certificate: try pki.issue(profile, publicKey: key.subjectPublicKeyInfo, by: .jma, now: now))
            }
            doctor = try holder(.medicalDoctor)
            pharmacist = try holder(.pharmacist)
            var lists = CRLStore()
            for list in try pki.crls(now: now).values {
                lists = try lists.adding(list, issuers: pki.trustStore.anchors + pki.trustStore.intermediates)
            }
            validator = SignatureValidator(trust: pki.trustStore, crls: lists)
            self.pki = pki
        }
    }

    struct Holder {
        let key: DevelopmentKey
        let certificate: HPKICertificate
    }

    let asked = Mutex<[CoreRequest]>([])
    let refusal: Failure?
    let damage: @Sendable ([UInt8]) -> [UInt8]

    init(refusal: Failure? = nil, damage: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }) {
        self.refusal = refusal
        self.damage = damage
    }

    var commands: [SignCommand] {
        asked.withLock { $0.compactMap { if case .sign(let command) = $0 { command } else { nil } } }
    }

    var refused: [RefusalNotice] {
        asked.withLock { $0.compactMap { if case .refuse(let notice) = $0 { notice } else { nil } } }
    }

    func call(_ request: CoreRequest, deadline: UInt64) async throws(Failure) -> CoreReply {
        asked.withLock { $0.append(request) }
        if let refusal { throw refusal }
        switch request {
        case .sign(let command): return try sign(command)
        case .refuse, .identify: return .noted
        default: throw Failure(.notFound, "No such signature.")
        }
    }

    private func sign(_ command: SignCommand) throws(Failure) -> CoreReply {
        if let judgement = command.prescription, judgement.verdict == .indeterminate, !judgement.isAcknowledged {
            throw Failure(.prescriptionIndeterminate, "Not acknowledged.", rule: "acknowledged-only")
        }
        do {
            let authority = try Self.shared.get()
            let holder = command.form == .dispensing ? authority.pharmacist : authority.doctor
            let algorithm = command.algorithm ?? .rsaPKCS1SHA256
            let digest = command.digests.first { $0.algorithm == algorithm.digestAlgorithm } ?? command.digests[0]
            let id = SignatureID(random: Random { Array(repeating: 9, count: $0) })
            let signature = try FormedSignature(
                form: command.form, shape: command.shape, digest: digest, certificate: holder.certificate,
                signingTime: Self.now, algorithm: algorithm, signature: id)
            return .signed(
                SignedReply(
                    signature: id, signedAt: Self.now,
                    certificate: holder.certificate.der, algorithm: algorithm,
                    value: damage(try holder.key.value(over: signature.bytesToSign, by: algorithm)), rule: "a-rule",
                    receipt: ReceiptFacts(
                        origin: "test", sequence: 1, leaf: [], treeSize: 2, rootHash: Array(repeating: 0, count: 32),
                        custody: "software token"), isReplay: false))
        } catch { throw Failure(.unexpected, "\(error)") }
    }
}

extension SignDocument {
    init(_ core: SoftwareCore, trusting: Bool = true, limits: SigningLimits = SigningLimits()) throws {
        let validator = trusting ? try SoftwareCore.shared.get().validator : .trustingNobody
        self.init(core: core, validator: { validator }, clock: .fixed(SoftwareCore.now), limits: limits)
    }
}

let origin = RequestOrigin(requestID: "r", token: "t", deadline: .max)
let prescriptionID = "7c0e4f5a-91d2-4b3e-8f60-2a5d1c9b7e34"
let prescriptionCSV = Array("SJ1\n11,000000000000204,若松　千尋\n".utf8)
let dispensingCSV = Array("CJ1,\n7,\(prescriptionID),\n".utf8)

func unsigned(
    inner: String = "", namespaces: String = "", csv: [UInt8] = prescriptionCSV, around: String = ""
) -> String {
    "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns:xsi=\"\(Namespaces.xsi)\" id=\"Document\""
        + " xsi:noNamespaceSchemaLocation=\"EP.xsd\"\(namespaces)>\n <Prescription\(around)>"
        + "<PrescriptionManagement id=\"PrescriptionManagement\"><Version Value=\"EPS1.0\"/></PrescriptionManagement>"
        + "<PrescriptionDocument id=\"PrescriptionDocument\">\(Base64.encode(csv))</PrescriptionDocument>\(inner)"
        + "</Prescription>\n</Document>\n"
}

/// The unsigned element in which anything may stand.
func information(_ attributes: String, _ content: String = "") -> String {
    "<AdditionalPrescriptionInformation \(attributes)>\(content)</AdditionalPrescriptionInformation>"
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }

    /// With the number that the management service gives.
    var registered: [UInt8] {
        replacing(
            "<Version Value=\"EPS1.0\"/>", "<Version Value=\"EPS1.0\"/><PrescriptionId Value=\"\(prescriptionID)\"/>")
    }

    func replacing(_ old: String, _ new: String) -> [UInt8] {
        Array(text.replacing(old, with: new, maxReplacements: 1).utf8)
    }
}

import Certificates
import Formats
import HPKI
import Keys
import Policies

/// The signature that a permit allows: its form and digest come from the permit itself.
struct PermittedSignature: Sendable {
    let form: DocumentForm
    let digest: Digest
    /// Whole seconds.
    let signingTime: Instant
    let algorithm: SignatureAlgorithm
    let rule: String
    let bytesToSign: [UInt8]

    init(_ permit: borrowing Permit, _ credential: Credential, signingTime: Instant) throws(FormatError) {
        guard let form = permit.action.form else { throw .formWithoutSignature }
        let signature = try PrescriptionSignature(
            form: form, dataDigest: permit.occurrence, certificate: credential.certificate.der,
            signingTime: signingTime, algorithm: credential.algorithm
        )
        self.form = form
        digest = permit.occurrence
        self.signingTime = signature.signingTime
        algorithm = credential.algorithm
        rule = permit.rule
        bytesToSign = signature.bytesToSign
    }
}

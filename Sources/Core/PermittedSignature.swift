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

    init(
        _ permit: borrowing Permit, in shape: SignatureShape, by key: SigningKey, under certificate: HPKICertificate,
        signingTime: Instant, id: SignatureID
    ) throws(FormatError) {
        guard let form = permit.action.form else { throw .formWithoutSignature }
        let signature = try FormedSignature(
            form: form, shape: shape, digest: permit.occurrence, certificate: certificate, signingTime: signingTime,
            algorithm: key.algorithm, signature: id
        )
        self.form = form
        digest = permit.occurrence
        self.signingTime = signingTime.wholeSecond
        algorithm = key.algorithm
        rule = permit.rule
        bytesToSign = signature.bytesToSign
    }
}

import Certificates
import Development
import Formats
import HPKI

/// A CMS signature by the doctor, with its time stamps.
struct CMSScene {
    let bare: [UInt8]
    let stamped: [UInt8]
    let archived: [UInt8]

    /// `chain` are further certificates that come along.
    init(_ world: World, by service: TimeStamping, chain: [HPKICertificate] = []) throws {
        let content: [UInt8] = [1, 2, 3]
        let signature = try CAdESSignature(
            contentDigest: Digest(of: content), certificate: world.doctor.certificate, signingTime: World.now,
            algorithm: .rsaPKCS1SHA256)
        bare = try signature.assemble(
            value: try world.doctor.key.value(over: signature.bytesToSign, by: .rsaPKCS1SHA256), content: content,
            chain: chain.map(\.der))
        let first = try CAdESAugmentation(bare, signer: 0)
        stamped = try first.adding(
            signatureTimeStamp: try service.token(over: first.signatureTimeStampOctets, at: World.now))
        let kept = try CAdESAugmentation(stamped, signer: 0)
        let input = try kept.archiveTimeStamp(by: .sha256, contentDigest: nil)
        archived = try kept.adding(
            archiveTimeStamp: try service.token(of: input.imprint, at: World.now), input)
    }
}

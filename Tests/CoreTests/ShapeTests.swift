import Audit
import Certificates
import Core
import CoreProtocol
import Formats
import HPKI
import Testing

extension CoreTests {
    /// Documents that are no prescription: in which shape, over which digest, by which algorithm.
    @Suite struct Shapes {
        private static let shapes: [SignatureShape] = [
            .cades, .xades(.document, mimeType: nil), .xades(.element(id: "e"), mimeType: "text/xml"),
            .xades(.object(id: "object-0123456789abcdef0123456789abcdef"), mimeType: nil),
            .xades(.detached(name: "紹介状.pdf"), mimeType: nil),
        ]

        private func command(
            _ world: World, _ holder: String, _ shape: SignatureShape,
            _ algorithms: [DigestAlgorithm] = DigestAlgorithm.allCases, form: DocumentForm = .other,
            by algorithm: SignatureAlgorithm? = nil
        ) throws -> SignCommand {
            var command = try world.command(holder, form)
            command.shape = shape
            command.digests = algorithms.map { Digest(of: [1, 2, 3], by: $0) }
            command.algorithm = algorithm
            return command
        }

        private func mustHold(_ reply: SignedReply, _ command: SignCommand, _ digest: Digest) throws {
            let certificate = try HPKICertificate(der: reply.certificate)
            let signature = try FormedSignature(
                form: command.form, shape: command.shape, digest: digest, certificate: certificate,
                signingTime: reply.signedAt, algorithm: reply.algorithm, signature: reply.signature)
            try certificate.publicKey.verify(
                signature: reply.value, over: signature.bytesToSign, algorithm: reply.algorithm)
        }

        @Test func `every health profession has other documents signed, in every shape`() async throws {
            let world = try await World()
            try await world.serving { core in
                for shape in Self.shapes {
                    let command = try command(world, "nurse-1", shape)
                    let reply = try await core.sign(command)
                    #expect(reply.rule == "sign-other-document")
                    try mustHold(reply, command, command.digests[0])
                }
                let intents = try await world.entries().filter { $0.leaf.kind == .intent }
                #expect(intents.count == Self.shapes.count)
                for intent in intents {
                    #expect(intent[.document] == "other:sha256:\(Digest(of: [1, 2, 3]).hex)")
                }
            }
        }

        @Test func `CMS is signed over the digest by the function of the algorithm that was asked for`() async throws {
            let world = try await World()
            try await world.serving { core in
                for algorithm: SignatureAlgorithm in [.rsaPKCS1SHA256, .rsaPKCS1SHA384, .rsaPKCS1SHA512] {
                    let command = try command(world, "dentist-1", .cades, by: algorithm)
                    let reply = try await core.sign(command)
                    #expect(reply.algorithm == algorithm)
                    try mustHold(reply, command, Digest(of: [1, 2, 3], by: algorithm.digestAlgorithm))
                }
                let lacking = try command(world, "dentist-1", .cades, [.sha256], by: .rsaPKCS1SHA512)
                #expect(try await failure { try await core.sign(lacking) }.kind == .malformedRequest)
                // Another padding than the key's is another key's matter, and P-256 has no RSA.
                for (holder, algorithm) in [
                    ("dentist-1", SignatureAlgorithm.rsaPSSSHA256), ("doctor-1", .rsaPKCS1SHA256),
                ] {
                    let other = try command(world, holder, .cades, by: algorithm)
                    #expect(try await failure { try await core.sign(other) }.kind == .credentialUnusable)
                }
                let uses = try await world.entries().count { $0.leaf.kind == .intent }
                #expect(uses == 3)
            }
        }

        @Test func `a form is signed in its own shape alone`() async throws {
            let world = try await World()
            try await world.serving { core in
                for shape in Self.shapes {
                    let command = try command(world, "doctor-1", shape, [.sha256], form: .prescription)
                    #expect(try await failure { try await core.sign(command) }.kind == .denied)
                }
                let other = try command(world, "doctor-1", .ofForm, [.sha256])
                #expect(try await failure { try await core.sign(other) }.kind == .denied)
                let long = try command(world, "doctor-1", .ofForm, [.sha512], form: .prescription)
                #expect(try await failure { try await core.sign(long) }.kind == .malformedRequest)
                // What, moved into a prescription, would be its signature.
                for place: XAdESPlace in [
                    .element(id: "PrescriptionDocument"), .element(id: "Dispensing"),
                    .object(id: "PrescriptionDocument"), .detached(name: "#Dispensing"), .detached(name: " #x"),
                    .detached(name: ""),
                ] {
                    let disguised = try command(world, "doctor-1", .xades(place, mimeType: nil))
                    let kind = try await failure { try await core.sign(disguised) }.kind
                    #expect([.denied, .malformedRequest].contains(kind), "\(place)")
                }
                let unwritable = try command(world, "doctor-1", .xades(.detached(name: "a\u{1}"), mimeType: nil))
                #expect(try await failure { try await core.sign(unwritable) }.kind == .malformedRequest)
                #expect(try await world.entries().allSatisfy { $0.leaf.kind != .intent })
            }
        }
    }
}

import CoreProtocol
import Formats
import HPKI
import Signing
import Testing
import Validation

@Suite struct PrescriptionSigningTests {
    private func failure(
        _ source: UnsignedPrescription, limits: SigningLimits = SigningLimits()
    ) async throws -> Failure? {
        let core = SoftwareCore()
        let sign = try SignDocument(core, limits: limits)
        let failure = await #expect(throws: Failure.self) { try await sign.prescription(source, origin) }
        #expect(core.commands.isEmpty)
        #expect(core.refused.map(\.kind) == [failure?.kind])
        return failure
    }

    @Test func `a prescription from its records passes validation`() async throws {
        let core = SoftwareCore()
        let answer = try await SignDocument(core).prescription(.csv(prescriptionCSV), origin)
        let report = try SoftwareCore.shared.get().validator.judge(answer.document, at: SoftwareCore.now)
        #expect(report.result == .passed, "\(report.text)")
        #expect(answer.signedAt == SoftwareCore.now && answer.rule == "a-rule" && !answer.isReplay)
        #expect(core.refused.isEmpty && core.commands.first?.prescription == nil)
    }

    @Test(arguments: ["", "<PrescriptionSign/>", "<PrescriptionSign></PrescriptionSign>"])
    func `a document keeps its bytes around the signature`(place: String) async throws {
        let text = unsigned(inner: place)
        let answer = try await SignDocument(SoftwareCore()).prescription(.document(Array(text.utf8)), origin)
        let report = try SoftwareCore.shared.get().validator.judge(answer.document, at: SoftwareCore.now)
        #expect(report.result == .passed, "\(report.text)")
        let parts = unsigned(inner: "|").split(separator: "|")
        #expect(answer.document.starts(with: Array(parts[0].utf8) + Array("<PrescriptionSign><xs:Signature".utf8)))
        #expect(answer.document.suffix(parts[1].utf8.count).elementsEqual(parts[1].utf8))
    }

    @Test(arguments: [
        "", "SJ1\r\n", "SJ2\n", "CJ1,\n", "SJ1,\n", "\nSJ1\n", "\u{FEFF}SJ1\n", "SJ1\n\u{0}", "SJ1\n\u{1B}[2J", "SJ1\r",
    ])
    func `bad records are refused`(text: String) async throws {
        #expect(try await failure(.csv(Array(text.utf8)))?.kind == .invalidCSV)
        #expect(try await failure(.document(Array(unsigned(csv: Array(text.utf8)).utf8)))?.kind == .invalidCSV)
    }

    @Test func `records that are not UTF-8 or too long are refused`() async throws {
        #expect(try await failure(.csv(Array("SJ1\n".utf8) + [0xFF]))?.kind == .invalidCSV)
        var limits = SigningLimits()
        limits.csvBytes = 10
        limits.documentBytes = 100
        #expect(try await failure(.csv(prescriptionCSV), limits: limits)?.kind == .tooLarge)
        #expect(try await failure(.document(Array(unsigned().utf8)), limits: limits)?.kind == .tooLarge)
    }

    @Test(arguments: [
        ("", Failure.Kind.invalidXML), ("<Document", .invalidXML), ("<!DOCTYPE a><a/>", .invalidXML),
        ("<Letter/>", .wrongDocument), ("<Document/>", .wrongDocument),
        ("<Document><Prescription/></Document>", .wrongDocument),
        (unsigned(inner: "stray"), .wrongDocument), (unsigned(inner: "<![CDATA[x]]>"), .wrongDocument),
        (unsigned(inner: "<New/>"), .wrongDocument),
        (unsigned(inner: "<PrescriptionSign>x</PrescriptionSign>"), .wrongDocument),
        (unsigned(inner: "<PrescriptionSign a=\"\"/>"), .wrongDocument),
        (unsigned(inner: "<PrescriptionSign/><PrescriptionSign/>"), .wrongDocument),
        (unsigned(inner: "<PrescriptionDocument>U0oxCg==</PrescriptionDocument>"), .wrongDocument),
        (unsigned(inner: "<AdditionalPrescriptionInformation id=\"PrescriptionSign\"/>"), .wrongDocument),
        (unsigned(inner: "<AdditionalPrescriptionInformation id=\"PrescriptionDocument\"/>"), .invalidXML),
        (unsigned(inner: information("id='id0123456789abcdef-KeyInfo'")), .wrongDocument),
        (unsigned(inner: information("ID='&#x69;d0123456789abcdef-SignedInfo'")), .wrongDocument),
        (unsigned(inner: information("xml:id=' id0123456789abcdef-SignatureValue'")), .wrongDocument),
        (unsigned(inner: information("", "<Deep Id='id0123456789abcdef-Reference1-Detached'/>")), .wrongDocument),
        (unsigned(around: " id='id0123456789abcdef-SignedProperties'"), .wrongDocument),
        (unsigned(inner: "<s:Signature xmlns:s=\"\(Namespaces.ds)\"/>"), .alreadySigned),
        (unsigned(namespaces: " xmlns:x=\"urn:x\""), .foreignNamespace),
        (unsigned(namespaces: " xml:lang=\"ja\""), .foreignNamespace),
        (unsigned(around: " xmlns:x=\"urn:x\""), .foreignNamespace),
        (unsigned(around: " xml:space=\"preserve\""), .foreignNamespace),
        (unsigned().replacing(Base64.encode(prescriptionCSV), with: "%%%"), .invalidBase64),
        (unsigned().replacing(Base64.encode(prescriptionCSV), with: "<!-- -->U0oxCg=="), .invalidBase64),
        (String(repeating: "<a>", count: 50_000), .invalidXML),
    ])
    func `bad documents are refused`(text: String, kind: Failure.Kind) async throws {
        #expect(try await failure(.document(Array(text.utf8)))?.kind == kind)
    }

    @Test(arguments: [
        "id='id0123456789abcde-KeyInfo'", "id='id0123456789abcdeg-KeyInfo'", "id='id0123456789abcdef'",
        "name='id0123456789abcdef-KeyInfo'",
    ])
    func `attributes that only look like the ids of a signature are left alone`(attribute: String) async throws {
        let text = unsigned(inner: information(attribute))
        _ = try await SignDocument(SoftwareCore()).prescription(.document(Array(text.utf8)), origin)
    }

    @Test func `a value that does not verify never leaves`() async throws {
        let core = SoftwareCore { value in [value[0] ^ 1] + value.dropFirst() }
        let sign = try SignDocument(core)
        let failure = await #expect(throws: Failure.self) {
            try await sign.prescription(.csv(prescriptionCSV), origin)
        }
        #expect(failure?.kind == .unexpected)
        #expect(failure?.cause?.contains("signature-value-mismatch") == true)
    }

    @Test func `what core says of the caller comes first`() async throws {
        let sign = try SignDocument(SoftwareCore(refusal: Failure(.invalidToken, "No.")))
        for csv in [prescriptionCSV, [0xFF]] {
            let failure = await #expect(throws: Failure.self) { try await sign.prescription(.csv(csv), origin) }
            #expect(failure?.kind == .invalidToken)
        }
    }

    @Test func `equal bodies have equal digests and different ones do not`() async throws {
        let core = SoftwareCore()
        let sign = try SignDocument(core)
        let keyed = RequestOrigin(requestID: "r", token: "t", idempotencyKey: "k", deadline: .max)
        let other = RequestOrigin(
            requestID: "r", token: "t", credential: CredentialID("c"), idempotencyKey: "k", deadline: .max)
        let first = try await sign.prescription(.csv(prescriptionCSV), keyed)
        let second = try await sign.prescription(.csv(prescriptionCSV), keyed)
        #expect(first.document == second.document)
        _ = try await sign.prescription(.csv(prescriptionCSV + [0x0A]), keyed)
        _ = try await sign.prescription(.csv(prescriptionCSV), other)
        let digests = core.commands.compactMap { $0.idempotency?.body }
        #expect(digests.count == 4 && digests[0] == digests[1] && Set(digests).count == 3)
        let bad = RequestOrigin(requestID: "r", token: "t", idempotencyKey: "", deadline: .max)
        let failure = await #expect(throws: Failure.self) { try await sign.prescription(.csv(prescriptionCSV), bad) }
        #expect(failure?.kind == .invalidIdempotencyKey)
    }
}

@Suite struct DispensingSigningTests {
    private func signed() async throws -> [UInt8] {
        try await SignDocument(SoftwareCore()).prescription(.csv(prescriptionCSV), origin).document.registered
    }

    private func failure(
        _ prescription: [UInt8], _ csv: [UInt8] = dispensingCSV, acknowledged: [String] = []
    ) async throws -> Failure? {
        let core = SoftwareCore()
        let sign = try SignDocument(core)
        let failure = await #expect(throws: Failure.self) {
            try await sign.dispensing(prescription: prescription, csv: csv, acknowledged: acknowledged, origin)
        }
        #expect(core.commands.isEmpty && core.refused.count == 1)
        return failure
    }

    @Test func `the prescription is carried byte for byte and both signatures pass`() async throws {
        let prescription = try await signed()
        let answer = try await SignDocument(SoftwareCore()).dispensing(
            prescription: prescription, csv: dispensingCSV, acknowledged: [], origin)
        let report = try SoftwareCore.shared.get().validator.judge(answer.document, at: SoftwareCore.now)
        #expect(report.result == .passed, "\(report.text)")
        let content = prescription.text.split(separator: "<Prescription>")[1].split(separator: "</Prescription>")[0]
        #expect(answer.document.text.contains("<ReferencePrescription>\(content)</ReferencePrescription>"))
    }

    @Test func `an unknown signer needs every reason acknowledged`() async throws {
        let prescription = try await signed()
        let core = SoftwareCore()
        let sign = try SignDocument(core, trusting: false)
        for acknowledged in [[], ["something-else"]] {
            let failure = await #expect(throws: Failure.self) {
                try await sign.dispensing(
                    prescription: prescription, csv: dispensingCSV, acknowledged: acknowledged, origin)
            }
            #expect(failure?.kind == .prescriptionIndeterminate && failure?.rule == "acknowledged-only")
            #expect(failure?.reasons == ["no-path-to-anchor"])
        }
        _ = try await sign.dispensing(
            prescription: prescription, csv: dispensingCSV, acknowledged: ["no-path-to-anchor"], origin)
        #expect(core.commands.last?.prescription?.isAcknowledged == true)
    }

    @Test(arguments: [
        (">U0ox", ">U0oy"), ("SigningTime>20", "SigningTime>19"), ("rsa-sha256", "rsa-sha1"),
        ("<PrescriptionSign>", "<PrescriptionSign/><PrescriptionSign>"),
    ])
    func `a broken signature cannot be acknowledged away`(old: String, new: String) async throws {
        let broken = try await signed().replacing(old, new)
        let first = try await failure(broken)
        #expect(first?.kind == .prescriptionRejected && first?.reasons.isEmpty == false)
        let second = try await failure(broken, acknowledged: first?.reasons ?? [])
        #expect(second?.kind == .prescriptionRejected)
    }

    @Test func `an unsigned prescription is rejected and another document is wrong`() async throws {
        #expect(try await failure(Array(unsigned().utf8))?.kind == .prescriptionRejected)
        #expect(try await failure(Array("<Letter/>".utf8))?.kind == .wrongDocument)
        #expect(try await failure(Array("<Document><Prescription/></Document>".utf8))?.kind == .wrongDocument)
        #expect(try await failure(Array("<!DOCTYPE a><a/>".utf8))?.kind == .invalidXML)
        let result = try await SignDocument(SoftwareCore()).dispensing(
            prescription: signed(), csv: dispensingCSV, acknowledged: [], origin)
        #expect(try await failure(result.document)?.kind == .wrongDocument)
    }

    @Test func `what stands around the signed element must be xmlns xsi alone`() async throws {
        let prescription = try await signed()
        for (old, new) in [
            ("<Document ", "<Document xmlns:x=\"urn:x\" "), ("<Prescription>", "<Prescription xmlns:x=\"urn:x\">"),
            ("<PrescriptionDocument ", "<PrescriptionDocument xmlns:x=\"urn:x\" "),
            ("<Prescription>", "<Prescription xml:lang=\"ja\">"),
        ] {
            #expect(try await failure(prescription.replacing(old, new))?.kind == .foreignNamespace)
        }
    }

    @Test(arguments: [
        ("CJ1,\n7,another,\n", Failure.Kind.prescriptionMismatch), ("CJ1,\n", .prescriptionMismatch),
        ("CJ1,\n7,\(prescriptionID),\n7,another,\n", .prescriptionMismatch), ("CJ1,\n7\n", .prescriptionMismatch),
        ("SJ1\n", .invalidCSV), ("CJ1\n", .invalidCSV), ("CJ1,\r\n", .invalidCSV), ("", .invalidCSV),
    ])
    func `records must be of this prescription`(csv: String, kind: Failure.Kind) async throws {
        #expect(try await failure(signed(), Array(csv.utf8))?.kind == kind)
    }

    @Test func `a prescription whose ids are those of the result cannot be carried`() async throws {
        let clash = try await signed().replacing(
            "<PrescriptionManagement id=\"PrescriptionManagement\">", "<PrescriptionManagement id=\"Dispensing\">")
        #expect(try await failure(clash)?.kind == .wrongDocument)
    }

    @Test(arguments: ["DispensingSign", "id0123456789abcdef-KeyInfo"])
    func `a prescription whose ids are those of a signature to come cannot be carried`(id: String) async throws {
        for (old, new) in [
            ("<PrescriptionManagement id=\"PrescriptionManagement\">", "<PrescriptionManagement id=\"\(id)\">"),
            ("<PrescriptionSign>", "<PrescriptionSign id=\"\(id)\">"),
            ("</Prescription>", "\(information("", "<Deep ID=\"\(id)\"/>"))</Prescription>"),
        ] {
            #expect(try await failure(signed().replacing(old, new))?.kind == .wrongDocument)
        }
    }

    @Test func `a second number that record 7 does not name is a mismatch wherever it stands`() async throws {
        let number = "<PrescriptionId Value=\"\(prescriptionID)\"/>"
        for two in [number + "<PrescriptionId Value=\"another\"/>", "<PrescriptionId Value=\"another\"/>" + number] {
            #expect(try await failure(signed().replacing(number, two))?.kind == .prescriptionMismatch)
        }
    }

    @Test func `unsigned text in a prescription must be acknowledged`() async throws {
        let core = SoftwareCore()
        let prescription = try await signed().replacing("<Prescription>", "<Prescription>stray")
        let failure = await #expect(throws: Failure.self) {
            try await SignDocument(core).dispensing(
                prescription: prescription, csv: dispensingCSV, acknowledged: [], origin)
        }
        #expect(failure?.kind == .prescriptionIndeterminate && failure?.reasons == ["unsigned-text"])
        _ = try await SignDocument(core).dispensing(
            prescription: prescription, csv: dispensingCSV, acknowledged: ["unsigned-text"], origin)
    }
}

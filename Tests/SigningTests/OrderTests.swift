import Certificates
import CoreProtocol
import Development
import Formats
import HPKI
import Signing
import Synchronization
import Testing
import XML

/// A time-stamping authority and the lists of the development authorities, without a network.
private struct Evidence {
    let stamps = Counter()
    let authority: DevelopmentTimeStampAuthority
    let lists: [[UInt8]]
    let chain: [[UInt8]]

    final class Counter: Sendable {
        let count = Mutex(0)
    }

    init() throws {
        var pki = try SoftwareCore.shared.get().pki
        authority = try pki.timeStampAuthority(now: SoftwareCore.now)
        lists = Array(try pki.crls(now: SoftwareCore.now).values)
        chain = (pki.trustStore.intermediates + pki.trustStore.anchors).map(\.der)
    }

    var evidence: LevelEvidence {
        LevelEvidence(
            stamp: { digest throws(Failure) in
                stamps.count.withLock { $0 += 1 }
                do {
                    let random = Random { Array(repeating: 5, count: $0) }
                    let request = TimeStampRequest(for: digest, random: random)
                    let answer = try TimeStampResponse(
                        der: authority.answer(
                            request.der, random: random, now: SoftwareCore.now))
                    return answer.token.der
                } catch { throw Failure(.unexpected, "\(error)") }
            },
            material: { _, _ throws(Failure) in
                ValidationMaterial(certificates: chain, crls: lists)
            })
    }
}

@Suite struct OrderTests {
    private static let letter = Array("<r xmlns=\"urn:x\"><a Id=\"part\">紹介</a></r>".utf8)

    private func order(
        _ packaging: SignatureOrder.Packaging, _ items: [SignatureOrder.Item], _ level: SignatureLevel = .bB
    ) -> SignatureOrder {
        SignatureOrder(form: .other, packaging: packaging, level: level, items: items)
    }

    private func signer(_ core: SoftwareCore = SoftwareCore()) throws -> (SignDocument, Evidence) {
        let evidence = try Evidence()
        let validator = try SoftwareCore.shared.get().validator
        return (
            SignDocument(
                core: core, validator: { validator }, evidence: evidence.evidence, clock: .fixed(SoftwareCore.now)),
            evidence
        )
    }

    private static let items: [(SignatureOrder.Packaging, SignatureOrder.Item)] = [
        (.xades(.enveloped), .init(source: .document(letter))),
        (.xades(.internallyDetached), .init(source: .document(letter), elementID: "part")),
        (.xades(.enveloping), .init(source: .document([0, 1, 2]), mimeType: "application/octet-stream")),
        (.xades(.detached), .init(source: .document([0, 1, 2]), name: "a&b.bin")),
        (.cades(.attached), .init(source: .document([0, 1, 2]))),
        (.cades(.detached), .init(source: .document([0, 1, 2]))),
    ]

    @Test(arguments: SignatureLevel.allCases)
    func `every packaging is answered at the level asked for, with a time stamp for each that has one`(
        level: SignatureLevel
    ) async throws {
        for (packaging, item) in Self.items {
            let (sign, evidence) = try signer()
            let results = try await sign(order(packaging, [item], level), origin)
            let answer = try #require(try results.first?.get())
            #expect(answer.level == level && results.count == 1)
            let stamps = [SignatureLevel.bB: 0, .bT: 1, .bLT: 1, .bLTA: 2]
            #expect(evidence.stamps.count.withLock { $0 } == stamps[level], "\(packaging) \(level)")
        }
    }

    @Test func `what a client puts together of its own document and a signature over its digest is the same`()
        async throws
    {
        for (packaging, item) in Self.items {
            let core = SoftwareCore()
            let (sign, _) = try signer(core)
            let whole = try #require(try await sign(order(packaging, [item]), origin).first).get()
            let here = try LocalDocument(item, packaging)
            let digest = SignatureOrder.Item(
                source: .digest(try here.digest(by: .sha256)), name: item.name, elementID: here.elementID,
                mimeType: item.mimeType)
            let alone = try #require(try await sign(order(packaging, [digest]), origin).first).get()
            #expect(try here.assembled(with: alone.bytes) == whole.bytes, "\(packaging)")
            // Nothing of the document went to core in either case but the same digest.
            #expect(core.commands[0].digests.contains(core.commands[1].digests[0]))
        }
    }

    /// What the service answers where a client keeps `item` and sends its digest.
    private func answer(
        to item: SignatureOrder.Item, _ packaging: SignatureOrder.Packaging
    ) async throws -> [UInt8] {
        let here = try LocalDocument(item, packaging)
        let digest = SignatureOrder.Item(
            source: .digest(try here.digest(by: .sha256)), name: item.name, elementID: here.elementID)
        return try #require(try await signer().0(order(packaging, [digest]), origin).first).get().bytes
    }

    /// Why `item` and `signature` are not put together.
    private func refusal(
        _ item: SignatureOrder.Item, _ packaging: SignatureOrder.Packaging, _ signature: [UInt8]
    ) throws -> [String]? {
        let failure = #expect(throws: Failure.self, "\(packaging)") {
            try LocalDocument(item, packaging).assembled(with: signature)
        }
        #expect(failure?.kind == .wrongDocument)
        return failure?.reasons
    }

    @Test func `an answer with a value that does not hold, or over another document, is not put together`()
        async throws
    {
        for (packaging, item) in Self.items {
            let good = try await answer(to: item, packaging)
            #expect(throws: Never.self) { try LocalDocument(item, packaging).assembled(with: good) }
            // In CMS the value comes last.
            let bad =
                good.first == 0x30
                ? good.dropLast() + [good[good.count - 1] ^ 1]
                : good.replacing("-SignatureValue\">", "-SignatureValue\">AAAA")
            #expect(try refusal(item, packaging, bad) == ["signature-value-mismatch"], "\(packaging)")
            let another = SignatureOrder.Item(
                source: .document(item.elementID == nil ? Array("<b/>".utf8) : Self.letter.replacing("紹", "照")),
                name: item.name, elementID: item.elementID)
            let other = try await answer(to: another, packaging)
            // The octets give an enveloped object its id.
            let expected = packaging == .xades(.enveloping) ? "reference-not-found" : "digest-mismatch"
            #expect(try refusal(item, packaging, other) == [expected], "\(packaging)")
            #expect(try refusal(item, packaging, Array("<a/>".utf8)) != nil)
        }
    }

    @Test func `an answer that holds and covers something else than was asked for is not put together`() async throws {
        let letter = Array("<r><a Id=\"dose\">1 mg</a><b Id=\"greeting\">様</b></r>".utf8)
        let packaging = SignatureOrder.Packaging.xades(.internallyDetached)
        let greeting = SignatureOrder.Item(source: .document(letter), elementID: "greeting")
        let dose = SignatureOrder.Item(source: .document(letter), elementID: "dose")
        let signature = try await answer(to: greeting, packaging)
        #expect(try refusal(dose, packaging, signature) == ["missing-reference"])
        let whole = SignatureOrder.Item(source: .document(letter))
        #expect(try refusal(whole, .xades(.enveloped), signature) == ["missing-reference"])
    }

    @Test func `a self-closing root is opened, and what stands around it stays`() async throws {
        let (sign, _) = try signer()
        let document = Array("<?xml version=\"1.0\"?><!-- a --><p:r xmlns:p=\"urn:x\" b='1' /><!-- b -->".utf8)
        let results = try await sign(order(.xades(.enveloped), [.init(source: .document(document))]), origin)
        let signed = try #require(results.first).get().bytes.text
        #expect(signed.hasPrefix("<?xml version=\"1.0\"?><!-- a --><p:r xmlns:p=\"urn:x\" b='1' ><ds:Signature "))
        #expect(signed.hasSuffix("</ds:Signature></p:r><!-- b -->"))
    }

    @Test func `one document that fails keeps none of the others back, and is told of to core`() async throws {
        let core = SoftwareCore()
        let (sign, _) = try signer(core)
        let items = (0..<30).map { number in
            SignatureOrder.Item(source: .document(number == 11 ? [0x3C] : Array("<a>\(number)</a>".utf8)))
        }
        let results = try await sign(order(.xades(.enveloped), items), origin)
        for (number, result) in results.enumerated() {
            switch result {
            case .success(let answer): #expect(answer.bytes.text.hasPrefix("<a>\(number)<"))
            case .failure(let failure): #expect(number == 11 && failure.kind == .invalidXML)
            }
        }
        #expect(results.count == 30 && core.commands.count == 29 && core.refused.map(\.kind) == [.invalidXML])
    }

    @Test func `no document and sixty-five are refused before anything is asked of core`() async throws {
        let core = SoftwareCore()
        let (sign, _) = try signer(core)
        for count in [0, 65] {
            let items = Array(repeating: SignatureOrder.Item(source: .document(Self.letter)), count: count)
            await #expect(throws: Failure.self) { try await sign(order(.xades(.enveloped), items), origin) }
        }
        #expect(core.asked.withLock { $0.isEmpty })
    }

    @Test func `each document of an order has an idempotency key of its own`() async throws {
        let core = SoftwareCore()
        let (sign, _) = try signer(core)
        var keyed = origin
        keyed = RequestOrigin(
            requestID: keyed.requestID, token: keyed.token, idempotencyKey: String(repeating: "k", count: 255),
            deadline: .max)
        let items = [SignatureOrder.Item(source: .document(Self.letter)), .init(source: .document(Array("<a/>".utf8)))]
        _ = try await sign(order(.xades(.enveloped), items), keyed)
        _ = try await sign(order(.xades(.enveloped), items), keyed)
        let claims = core.commands.compactMap(\.idempotency)
        #expect(claims.count == 4 && Set(claims).count == 2)
    }

    @Test func `a signature value that does not hold is not answered`() async throws {
        let core = SoftwareCore(damage: { value in value.dropLast() + [value[value.count - 1] ^ 1] })
        for (packaging, item) in Self.items {
            let (sign, evidence) = try signer(core)
            let result = try #require(try await sign(order(packaging, [item], .bT), origin).first)
            #expect(throws: Failure.self) { try result.get() }
            // Nor stamped before.
            #expect(evidence.stamps.count.withLock { $0 } == 0)
        }
    }

    @Test func `without an authority for time stamps B-B is the only level`() async throws {
        let core = SoftwareCore()
        let sign = SignDocument(core: core, clock: .fixed(SoftwareCore.now))
        let (packaging, item) = Self.items[0]
        for level in SignatureLevel.allCases.dropFirst() {
            let failure = await #expect(throws: Failure.self) {
                try await sign(order(packaging, [item], level), origin)
            }
            #expect(failure?.kind == .timeStampsNotOffered)
        }
        // No key was used for what could not be raised.
        #expect(core.commands.isEmpty)
    }

    @Test func `an order that needs more time stamps than its client has left uses no key and no share`() async throws {
        let core = SoftwareCore()
        let evidence = try Evidence()
        let clock = Mutex(UInt64(1_000_000_000))
        let rate = TimeStampRate(perMinute: 128) { clock.withLock { $0 } }
        let sign = SignDocument(
            core: core, evidence: evidence.evidence, stampRate: rate, clock: .fixed(SoftwareCore.now))
        let (packaging, item) = Self.items[5]
        func origin(_ client: String) -> RequestOrigin {
            RequestOrigin(requestID: "r", token: "t", client: client, deadline: .max)
        }
        func ask(_ count: Int, _ level: SignatureLevel, _ client: String) async throws {
            let order = order(packaging, Array(repeating: item, count: count), level)
            for result in try await sign(order, origin(client)) { _ = try result.get() }
        }
        try await ask(10, .bLTA, "a")
        #expect(evidence.stamps.count.withLock { $0 } == 20 && core.commands.count == 10)
        // 108 are left, and a document at B-LTA needs two.
        let failure = await #expect(throws: Failure.self) { try await ask(55, .bLTA, "a") }
        #expect(failure?.kind == .tooManyRequests && failure?.retryAfter == 1)
        #expect(failure?.detail.contains("needs 110 time stamps") == true)
        #expect(core.commands.count == 10 && evidence.stamps.count.withLock { $0 } == 20)
        // What was refused took nothing, B-B needs none, and another client has its own share.
        try await ask(4, .bT, "a")
        try await ask(64, .bB, "a")
        try await ask(1, .bLT, "b")
        #expect(core.commands.count == 79 && evidence.stamps.count.withLock { $0 } == 25)
        // 104 are left; a minute later all are there again.
        let all = await #expect(throws: Failure.self) { try await ask(64, .bLTA, "a") }
        #expect(all?.retryAfter == 12)
        clock.withLock { $0 += 12_000_000_000 }
        // So the seconds that were told are enough.
        try await ask(64, .bLTA, "a")
        #expect(evidence.stamps.count.withLock { $0 } == 153)
    }

    @Test func `raising a signature is counted too, by the time stamps that it still needs`() async throws {
        let evidence = try Evidence()
        let rate = TimeStampRate(perMinute: 2) { 1 }
        let sign = SignDocument(
            core: SoftwareCore(), evidence: evidence.evidence, stampRate: rate, clock: .fixed(SoftwareCore.now))
        let (packaging, item) = Self.items[0]
        let bare = try await sign(order(packaging, [item]), origin)[0].get().bytes
        let stamped = try await sign.augment(AugmentationOrder(signature: bare, level: .bT), origin)
        await #expect {
            try await sign.augment(AugmentationOrder(signature: bare, level: .bLTA), origin)
        } throws: { ($0 as? Failure)?.kind == .tooManyRequests }
        #expect(evidence.stamps.count.withLock { $0 } == 1)
        // One is left, and one is all that it needs.
        _ = try await sign.augment(AugmentationOrder(signature: stamped, level: .bLTA), origin)
        #expect(evidence.stamps.count.withLock { $0 } == 2)
    }
}

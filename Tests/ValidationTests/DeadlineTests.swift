import Certificates
import Development
import Formats
import HPKI
import Synchronization
import Testing
import Validation
import XML

/// Judging looks at the clock in every loop whose length is for the document to say, and gives up when told.
@Suite struct DeadlineTests {
    /// Passes when it was asked so many times.
    private final class Asked: Sendable {
        let count = Mutex(0)
        let most: Int

        init(atMost most: Int = .max) {
            self.most = most
        }

        var deadline: JudgementDeadline {
            JudgementDeadline {
                self.count.withLock { count in
                    count += 1
                    return count > self.most
                }
            }
        }
    }

    private let world: World
    private let service: TimeStamping
    private let validator: SignatureValidator
    private let t0 = World.now

    init() throws {
        world = try World.shared.get()
        service = try TimeStamping(world.pki)
        validator = try service.validator(at: World.now.adding(seconds: 600))
    }

    /// How often the clock is looked at for `document`.
    private func looks(_ document: [UInt8], detached: DetachedContent = .none) throws -> Int {
        let asked = Asked()
        _ = try validator.judge(
            document, detached: detached, at: t0.adding(seconds: 600), until: asked.deadline)
        return asked.count.withLock { $0 }
    }

    @Test func `each signature, time stamp and list makes it look once more at least`() throws {
        let bare = try world.prescription()
        let stamped = try service.stamped(bare, at: t0)
        let listed = TimeStamping.adding(
            TimeStamping.revocationValues(crls: try service.lists(at: t0)), to: stamped)
        let archived = try service.archived(listed, at: t0)
        let documents = [bare, stamped, listed, archived]
        let counts = try documents.map { try looks($0) }
        #expect(zip(counts, counts.dropFirst()).allSatisfy { $0 < $1 }, "\(counts)")
        #expect(try looks(try world.dispensing(of: bare)) > counts[0])
    }

    @Test func `each Reference makes it look`() throws {
        func document(_ count: Int) -> [UInt8] {
            let reference =
                "<Reference URI=\"u\"><DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>"
                + "<DigestValue>\(Base64.encode(Digest(of: [1]).bytes))</DigestValue></Reference>"
            return Array(
                ("<Signature xmlns=\"\(Namespaces.ds)\"><SignedInfo><CanonicalizationMethod "
                    + "Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/><SignatureMethod "
                    + "Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>"
                    + String(repeating: reference, count: count)
                    + "</SignedInfo><SignatureValue>AAAA</SignatureValue></Signature>").utf8)
        }
        let content = DetachedContent(single: [1])
        #expect(
            try looks(document(9), detached: content) >= looks(document(1), detached: content) + 8)
    }

    @Test func `each signer and archive time stamp of a CMS makes it look`() throws {
        let scene = try CMSScene(world, by: service)
        let counts = try [scene.bare, scene.stamped, scene.archived].map { try looks($0) }
        #expect(zip(counts, counts.dropFirst()).allSatisfy { $0 < $1 }, "\(counts)")
    }

    @Test func `wherever the time runs out there is no report`() throws {
        let archived = try service.archived(try service.stamped(try world.prescription(), at: t0), at: t0)
        for document in [archived, try CMSScene(world, by: service).archived] {
            let all = try looks(document)
            #expect(all > 4)
            for number in 0..<all {
                #expect(throws: JudgementError.outOfTime, "\(number) of \(all)") {
                    try validator.judge(
                        document, at: t0.adding(seconds: 600), until: Asked(atMost: number).deadline)
                }
            }
            let report = try validator.judge(
                document, at: t0.adding(seconds: 600), until: Asked(atMost: all).deadline)
            #expect(report == validator.judge(document, at: t0.adding(seconds: 600)))
        }
    }
}

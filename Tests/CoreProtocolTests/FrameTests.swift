import CoreProtocol
import HPKI
import Testing

@Suite struct FrameTests {
    @Test(arguments: Samples.requests) func `a request comes back as it went`(request: CoreRequest) throws {
        let frame = RequestFrame(call: 0x0102_0304_0506_0708, request: request)
        #expect(try RequestFrame(frame.bytes) == frame)
    }

    @Test(arguments: Samples.replies) func `a reply comes back as it went`(reply: CoreReply) throws {
        let frame = ReplyFrame(call: .max, reply: reply)
        #expect(try ReplyFrame(frame.bytes) == frame)
    }

    @Test func `the cause of a failure never leaves core`() throws {
        let frame = ReplyFrame(call: 1, reply: .failed(Failure(.unexpected, "Sorry.", cause: "disk sda1 on fire")))
        #expect(!String(decoding: frame.bytes, as: UTF8.self).contains("fire"))
        #expect(try ReplyFrame(frame.bytes).reply == .failed(Failure(.unexpected, "Sorry.")))
    }

    @Test func `every truncation and every trailing byte is refused`() {
        for request in Samples.requests {
            let bytes = RequestFrame(call: 7, request: request).bytes
            for count in bytes.indices { #expect(throws: WireError.self) { try RequestFrame(Array(bytes[..<count])) } }
            #expect(throws: WireError.trailingBytes) { try RequestFrame(bytes + [0]) }
        }
        for reply in Samples.replies {
            let bytes = ReplyFrame(call: 7, reply: reply).bytes
            for count in bytes.indices { #expect(throws: WireError.self) { try ReplyFrame(Array(bytes[..<count])) } }
            #expect(throws: WireError.trailingBytes) { try ReplyFrame(bytes + [0]) }
        }
    }

    @Test(arguments: Samples.requests)
    func `a mutated request is refused or is just what its frame would write`(request: CoreRequest) {
        mutate(RequestFrame(call: 7, request: request).bytes) { try RequestFrame($0).bytes }
    }

    @Test(arguments: Samples.replies)
    func `a mutated reply is refused or is just what its frame would write`(reply: CoreReply) {
        mutate(ReplyFrame(call: 7, reply: reply).bytes) { try ReplyFrame($0).bytes }
    }

    @Test func `another version of the protocol is refused`() {
        var bytes = RequestFrame(call: 1, request: .health).bytes
        bytes[0] = 2
        #expect(throws: WireError.invalidValue) { try RequestFrame(bytes) }
    }

    @Test func `an oversized token is refused by its length alone`() {
        let command = SignCommand(
            requestID: "r", token: PresentedToken(String(repeating: "t", count: 16_385)), form: .prescription,
            digests: [Samples.digest]
        )
        #expect(throws: WireError.tooLong) {
            try RequestFrame(RequestFrame(call: 1, request: .sign(command)).bytes)
        }
    }

    @Test func `an idempotency key is 1 to 255 printable ASCII characters`() {
        for key in ["", "ключ", "a\nb", String(repeating: "k", count: 256)] {
            #expect(Idempotency(key: key, body: Samples.digest) == nil)
        }
        #expect(Idempotency(key: String(repeating: "k", count: 255), body: Samples.digest) != nil)
    }

    @Test func `a judgement is acknowledged only when every reason is, and there is one`() {
        func judged(_ reasons: [String], _ acknowledged: [String]) -> Bool {
            PrescriptionJudgement(verdict: .indeterminate, reasons: reasons, acknowledged: acknowledged).isAcknowledged
        }
        #expect(judged(["a", "b"], ["b", "a", "c"]))
        #expect(!judged(["a", "b"], ["a"]))
        #expect(!judged([], []))
    }

    /// 20 000 seeded mutations: `rewrite` throws, or gives the very bytes it was given.
    private func mutate(_ original: [UInt8], rewrite: ([UInt8]) throws -> [UInt8]) {
        var generator = Seeded(UInt64(original.count))
        var taken = 0
        var wrong = 0
        for _ in 0..<20_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: bytes[index] = .random(in: .min ... .max, using: &generator)
                case 2: bytes[index] = 0xFF
                case 3: bytes.remove(at: index)
                default: bytes.insert(.random(in: .min ... .max, using: &generator), at: index)
                }
            }
            guard let rewritten = try? rewrite(bytes) else { continue }
            taken += 1
            if rewritten != bytes { wrong += 1 }
        }
        // The call's number is free, so some mutations are frames: a reader that refuses all would be noticed.
        #expect(taken > 0)
        #expect(wrong == 0)
    }
}

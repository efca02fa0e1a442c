import Certificates
import Development
import Evidence
import Formats
import Foundation
import HPKI
import Testing

/// Lists and answers fetched from where certificates say they are, or not.
@Suite struct `Revocation data over the network` {
    @Test func `a list is fetched once, checked, kept and embedded with the path`() async throws {
        let repository = try await Repository()
        let list = try repository.list()
        repository.publish(list)
        let data = try repository.data()
        for _ in 0..<3 {
            let material = try await data.material(for: repository.leaf, at: noon)
            #expect(material.crls == [list] && material.certificates == [repository.root.der])
            #expect(material.ocspResponses.isEmpty)
        }
        #expect(repository.server.requests == 1)
        // Another process finds it in the folder; its own first look asks for a newer one all the same.
        repository.respond { _, _ in .bytes([], type: "text/plain", status: "404 Not Found") }
        #expect(try await repository.data().material(for: repository.leaf, at: noon).crls == [list])
        await repository.server.stop()
    }

    @Test func `a list in the trust folder is taken without asking anybody`() async throws {
        let repository = try await Repository()
        let list = try repository.list()
        let data = try repository.data(crls: try CRLStore().adding(list, issuers: [repository.root]))
        #expect(try await data.material(for: repository.leaf, at: noon).crls == [list])
        #expect(repository.server.requests == 0)
        await repository.server.stop()
    }

    @Test func `a private address is refused unless it is allowed`() async throws {
        let repository = try await Repository()
        repository.publish(try repository.list())
        let problems = await repository.problems(try repository.data(isPrivateAllowed: false))
        #expect(problems.count == 1 && problems[0].contains("private or local address"), "\(problems)")
        #expect(repository.server.requests == 0)
        await repository.server.stop()
    }

    @Test func `only addresses below a configured prefix are asked`() async throws {
        let repository = try await Repository()
        repository.publish(try repository.list())
        let closed = try repository.data { $0.prefixes = ["http://lists.example/"] }
        #expect(await repository.problems(closed) == [])
        await #expect(throws: EvidenceError.self) { try await closed.material(for: repository.leaf, at: noon) }
        #expect(repository.server.requests == 0)
        let open = try repository.data { $0.prefixes = [repository.server.url()] }
        #expect(await repository.problems(open) == [] && repository.server.requests == 1)
        await repository.server.stop()
    }

    @Test func `a list by another key, stale, of the future or not a list counts for nothing`() async throws {
        let repository = try await Repository()
        let bad: [([UInt8], String)] = [
            (try repository.list(key: .p256()), "does not verify"),
            (try repository.list(at: noon.adding(seconds: -86_400 * 5)), "past its next update"),
            (try repository.list(at: noon.adding(seconds: 3600)), "time to come"),
            (Array("<html>".utf8), "neither DER nor"),
            ([], "neither DER nor"),
            (Array(try repository.list().dropLast()), "not valid DER"),
        ]
        for (list, words) in bad {
            repository.publish(list)
            let problems = await repository.problems(try repository.data())
            #expect(problems.count == 1 && problems[0].contains(words), "\(problems)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: repository.scratch.folder).isEmpty)
        await repository.server.stop()
    }

    @Test func `an older list never takes the place of a newer one`() async throws {
        let repository = try await Repository()
        let newer = try repository.list(number: 2, at: noon.adding(seconds: -30), revoked: [9])
        let older = try repository.list(number: 1, at: noon.adding(seconds: -60))
        let data = try repository.data { $0.refreshSeconds = 1 }
        repository.publish(newer)
        #expect(try await data.material(for: repository.leaf, at: noon).crls == [newer])
        repository.publish(older)
        repository.moved.move(seconds: 10)
        #expect(try await data.material(for: repository.leaf, at: noon).crls == [newer])
        #expect(repository.server.requests == 2)
        let fresh = try repository.data()
        #expect(try await fresh.material(for: repository.leaf, at: noon).crls == [newer])
        await repository.server.stop()
    }

    @Test func `the list of a signature's own time stays, and comes back when no newer one can tell`() async throws {
        let repository = try await Repository()
        let first = try repository.list(number: 1)
        repository.publish(first)
        let data = try repository.data { $0.refreshSeconds = 1 }
        #expect(try await data.material(for: repository.leaf, at: noon).crls == [first])
        // Forty days later the certificate has expired, and newer lists would have forgotten it.
        repository.moved.move(seconds: 86_400 * 40)
        repository.publish(try repository.list(number: 2, at: noon.adding(seconds: 86_400 * 40)))
        #expect(try await data.material(for: repository.leaf, at: noon).crls == [first])
        #expect(try await repository.data().material(for: repository.leaf, at: noon).crls == [first])
        await repository.server.stop()
    }

    @Test func `a kept list that was altered on the disk is not believed`() async throws {
        let repository = try await Repository()
        repository.publish(try repository.list())
        _ = try await repository.data().material(for: repository.leaf, at: noon)
        let folder = repository.scratch.folder
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
        let forged = try repository.list(key: .p256())
        try Data(forged).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        repository.respond { _, _ in .bytes([], type: "text/plain", status: "404 Not Found") }
        let problems = await repository.problems(try repository.data())
        #expect(problems.count == 1 && problems[0].contains("status 404"), "\(problems)")
        await repository.server.stop()
    }

    @Test func `while one asks, all others wait for its answer`() async throws {
        let repository = try await Repository()
        let list = try repository.list()
        repository.respond { _, _ in
            Thread.sleep(forTimeInterval: 0.3)
            return .bytes(list, type: "application/pkix-crl")
        }
        let data = try repository.data()
        let found = await withTaskGroup(of: [[UInt8]]?.self) { group in
            for _ in 0..<20 {
                group.addTask { try? await data.material(for: repository.leaf, at: noon).crls }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(found == [[[UInt8]]?](repeating: [list], count: 20))
        #expect(repository.server.requests == 1)
        await repository.server.stop()
    }

    @Test func `a place that gave nothing is left alone for a while`() async throws {
        let repository = try await Repository()
        repository.respond { _, _ in .bytes([], type: "text/plain", status: "503 Busy") }
        let data = try repository.data()
        for _ in 0..<3 { #expect(await repository.problems(data).count == 1) }
        #expect(repository.server.requests == 1)
        repository.moved.move(seconds: 61)
        repository.publish(try repository.list())
        #expect(await repository.problems(data) == [])
        #expect(repository.server.requests == 2)
        await repository.server.stop()
    }

    @Test func `a list that is fetched no more counts until its next update`() async throws {
        let repository = try await Repository()
        let list = try repository.list(validSeconds: 7200)
        repository.publish(list)
        let data = try repository.data()
        #expect(await repository.problems(data) == [])
        repository.respond { _, _ in .bytes([], type: "text/plain", status: "503 Busy") }
        repository.moved.move(seconds: 3700)
        let later = noon.adding(seconds: 3700)
        #expect(try await data.material(for: repository.leaf, at: later).crls == [list])
        repository.moved.move(seconds: 3600)
        #expect(await repository.problems(data, at: noon.adding(seconds: 7300)).count == 1)
        await repository.server.stop()
    }

    @Test func `a responder's answer is taken where a certificate names one, and once for an hour`() async throws {
        let repository = try await Repository(ocsp: true)
        let answer = try repository.answer()
        repository.respond { path, body in
            guard path == "/ocsp", body.first == 0x30 else { return .silence }
            return .bytes(answer, type: "application/ocsp-response")
        }
        let data = try repository.data()
        for _ in 0..<2 {
            let material = try await data.material(for: repository.leaf, at: noon)
            #expect(material.ocspResponses == [answer] && material.crls.isEmpty)
        }
        #expect(repository.server.requests == 1)
        await repository.server.stop()
    }

    @Test func `an answer by the wrong key, or that knows nothing, counts for nothing, and the list is asked`()
        async throws
    {
        let repository = try await Repository(ocsp: true)
        let list = try repository.list()
        let unknown = DER.value(.contextPrimitive(2), [])
        for answer in [try repository.answer(key: .p256()), try repository.answer(status: unknown), [1, 2]] {
            repository.respond { path, _ in
                path == "/ocsp"
                    ? .bytes(answer, type: "application/ocsp-response") : .bytes(list, type: "application/pkix-crl")
            }
            let material = try await repository.data().material(for: repository.leaf, at: noon)
            #expect(material.crls == [list] && material.ocspResponses.isEmpty)
            repository.respond { path, _ in
                path == "/ocsp"
                    ? .bytes(answer, type: "application/ocsp-response") : .bytes([], type: "x", status: "404 No")
            }
            let empty = try Scratch()
            let problems = await repository.problems(try repository.data { $0.folder = empty.folder })
            #expect(problems.count == 2 && problems[0].contains("/ocsp: "), "\(problems)")
        }
        await repository.server.stop()
    }

    @Test func `a certificate without a path makes nobody ask`() async throws {
        let repository = try await Repository()
        let stranger = try await Repository()
        await #expect(throws: EvidenceError.self) {
            try await repository.data().material(for: stranger.leaf, at: noon)
        }
        #expect(repository.server.requests == 0 && stranger.server.requests == 0)
        await repository.server.stop()
        await stranger.server.stop()
    }

    @Test func `old lists go when all together are too many, the newest never`() async throws {
        let repository = try await Repository()
        let data = try repository.data {
            $0.refreshSeconds = 1
            $0.keptBytes = 1
        }
        for day in 0..<3 {
            let now = noon.adding(seconds: Int64(day) * 86_400)
            repository.publish(try repository.list(number: UInt64(day + 1), at: now))
            _ = try await data.material(for: repository.leaf, at: now)
            repository.moved.move(seconds: 86_400)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: repository.scratch.folder)
        #expect(names.count == 1 && names[0].hasSuffix("-03.crl"))
        await repository.server.stop()
    }

    @Test(.timeLimit(.minutes(10))) func `a list of 50 megabytes is fetched, kept and found again`() async throws {
        let repository = try await Repository()
        let list = try repository.hugeList()
        #expect(list.count > 50_000_000)
        repository.publish(list)
        let began = residentMegabytes()
        let data = try repository.data()
        #expect(try await data.material(for: repository.leaf, at: noon).crls.first?.count == list.count)
        #expect(repository.server.requests == 1)
        // The server's and the client's copies, the list and what AsyncHTTPClient held of it.
        #expect(residentMegabytes() - began < 450)
        await repository.server.stop()
    }

    @Test func `a list beyond 64 megabytes is cut off`() async throws {
        let repository = try await Repository()
        repository.publish([UInt8](repeating: 0x30, count: (64 << 20) + 1))
        let problems = await repository.problems(try repository.data())
        #expect(problems.count == 1 && problems[0].contains("more than 67108864 bytes"), "\(problems)")
        await repository.server.stop()
    }
}

/// Memory of this process that is in use, in megabytes.
private func residentMegabytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096 >> 20
}

extension Repository {
    /// A list by the root with as many entries as 50 megabytes hold.
    func hugeList() throws -> [UInt8] {
        let at = noon.adding(seconds: -60)
        let entry = DER.sequence(DER.value(.integer, [UInt8](repeating: 0x11, count: 8)), DER.time(at))
        let count = 50_000_000 / entry.count + 1
        var entries: [UInt8] = []
        entries.reserveCapacity(count * entry.count)
        for number in 0..<UInt32(count) {
            var copy = entry
            for place in 0..<4 { copy[8 + place] = UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * place)) }
            entries += copy
        }
        let toBeSigned = DER.sequence(
            of: [
                DER.integer(1), rootKey.algorithmIdentifier, root.subject.der, DER.time(at),
                DER.time(at.adding(seconds: 96 * 3600)), DER.value(.sequence, entries),
                DER.explicit(0, DER.sequence(Extensions.crlNumber(1))),
            ])
        return DER.sequence(
            toBeSigned, rootKey.algorithmIdentifier, DER.bitString(try rootKey.signature(over: toBeSigned)))
    }
}

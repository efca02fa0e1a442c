import Foundation
import Host
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct Processes {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func `a fenced thread opens what it was left and nothing else`() async throws {
        guard Landlock.kernelVersion != nil else {
            print("SKIPPED: this kernel has no Landlock")
            return
        }
        for folder in ["read", "write", "secret"] {
            try Files.makeFolder(scratch(folder))
            try Files.write([1], to: scratch(folder + "/file"))
        }
        try Files.write([1], to: scratch("alone"))
        let scratch = scratch
        let seen = try await withCheckedThrowingContinuation { (answer: CheckedContinuation<[Bool], any Error>) in
            HostThread.start("fenced") {
                do throws(HostError) {
                    let result = try Landlock.restrict(
                        readOnly: [scratch("read"), scratch("alone")], readWrite: [scratch("write")],
                        network: .tcp(bind: [], connect: []))
                    guard case .enforced(let version, let network) = result else { throw .closed }
                    func works(_ body: () throws -> Void) -> Bool { (try? body()) != nil }
                    answer.resume(returning: [
                        version >= 1,
                        network == (version >= 4),
                        works { _ = try Files.read(scratch("read/file"), atMost: 9) },
                        works { _ = try Files.read(scratch("alone"), atMost: 9) },
                        works { try Files.write([2], to: scratch("write/file")) },
                        works { try Files.write([2], to: scratch("read/file")) },
                        works { _ = try Files.read(scratch("secret/file"), atMost: 9) },
                        works { _ = try Files.names(in: scratch("secret")) },
                        works { _ = try Files.read("/etc/passwd", atMost: 1 << 20) },
                        works { _ = try Files.read(scratch("write/../secret/file"), atMost: 9) },
                        works { try Files.remove(scratch("secret/file")) },
                    ])
                } catch { answer.resume(throwing: error) }
            }
        }
        #expect(seen == [true, true, true, true, true, false, false, false, false, false, false])
        // The other threads of this process were not touched.
        #expect(try Files.read(scratch("secret/file"), atMost: 9) == [1])
    }

    @Test func `a fence around what is not there is refused before it stands`() async throws {
        guard Landlock.kernelVersion != nil else { return }
        let path = scratch("nothing")
        #expect(throws: HostError.missing(path: path)) {
            try Landlock.restrict(readOnly: [path], readWrite: [], network: .unrestricted)
        }
        #expect(try !Files.read("/etc/passwd", atMost: 1 << 20).isEmpty)
    }

    @Test func `a child has its arguments, environment and descriptors, and ends with its code`() async throws {
        let (ours, theirs) = try SocketPair.make()
        let (_, other) = try SocketPair.make()
        let script = "test \"$WORD\" = yes && test -z \"$HOME\" && echo \"$1\" >&4 && ls /proc/self/fd >&4; exit 7"
        let child = try ChildProcess.spawn(
            executable: "/bin/sh", arguments: ["-c", script, "sh", "argument"], environment: ["WORD=yes", "PATH=/bin"],
            descriptors: [other, theirs])
        #expect(await child.exit == .code(7))
        #expect(await child.exit == .code(7))
        child.terminate()
        theirs.close()
        var text = [UInt8](repeating: 0, count: 100)
        let count = unsafe read(ours.number, &text, 100)
        // 0, 1 and 2, ours at 3 and 4, and the one that ls opens.
        #expect(String(decoding: text.prefix(max(count, 0)), as: UTF8.self) == "argument\n0\n1\n2\n3\n4\n5\n")
    }

    @Test func `descriptors land in their places whatever their numbers were`() async throws {
        // Numbers that cross: the first descriptor's target is the second's source and the other way round.
        let pairs = try (0..<4).map { _ in try SocketPair.make() }
        let theirs = Array(pairs.map(\.1).sorted { $0.number > $1.number })
        let child = try ChildProcess.spawn(
            executable: "/bin/sh", arguments: ["-c", "for n in 3 4 5 6; do echo $n >&$n; done"],
            environment: ["PATH=/bin"], descriptors: theirs)
        #expect(await child.exit == .code(0))
        for (place, end) in theirs.enumerated() {
            let ours = try #require(pairs.first { $0.1 === end }).0
            var text = [UInt8](repeating: 0, count: 10)
            let count = unsafe read(ours.number, &text, 10)
            #expect(String(decoding: text.prefix(max(count, 0)), as: UTF8.self) == "\(place + 3)\n")
        }
    }

    @Test func `a child ends by the signal it is sent`() async throws {
        let child = try ChildProcess.spawn(executable: "/bin/sleep", arguments: ["60"], environment: [])
        child.terminate(SIGKILL)
        #expect(await child.exit == .signal(SIGKILL))
    }

    @Test func `a program that is not there is no child`() {
        #expect(throws: HostError.missing(path: "/nothing")) {
            try ChildProcess.spawn(executable: "/nothing", arguments: [], environment: [])
        }
    }

    @Test func `hardening takes the right to dump away`() throws {
        try ProcessHardening.disableCoreDumps()
        try ProcessHardening.forbidNewPrivileges()
        #expect(!ProcessHardening.isDumpable)
        #expect(
            try String(decoding: Files.read("/proc/thread-self/status", atMost: 1 << 16), as: UTF8.self)
                .contains("NoNewPrivs:\t1"))
        #expect(ProcessHardening.threadCount >= 1)
    }
}

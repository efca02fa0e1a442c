import Ceremony
import Foundation
import HPKI
import Host
import Testing

struct ArchiveTests {
    private let a: Officer
    private let b: Officer
    private let home: TestHome
    private let place: TestHome
    private let made = TestHome.now
    private let id = [UInt8](repeating: 9, count: 16)

    init() async throws {
        a = try Officer.create(name: "A")
        b = try Officer.create(name: "B")
        home = try TestHome()
        place = try TestHome()
        try await home.initialised(FakeToken(), a, b)
        try Files.makeFolder(home.path + "/data")
        try Files.write(Random.live.bytes(700_000), to: home.path + "/data/core.sqlite")
        try Files.write([], to: home.path + "/shirushi.yaml")
    }

    private var archive: String { place.path + "/backup" }

    private var custodyFiles: [String] {
        get throws {
            let protocols = try Files.names(in: home.folder.protocolFolder).map { "custody/protocols/" + $0 }
            let envelopes = try Files.names(in: home.folder.envelopeFolder).map { "custody/envelopes/" + $0 }
            return ["custody/officers.json"] + protocols + envelopes
        }
    }

    private func write(_ paths: [String]? = nil, backupKeyFile: String? = nil) throws {
        let paths = try paths ?? ["shirushi.yaml", "data/core.sqlite"] + custodyFiles
        _ = try ArchiveWriter.write(
            ArchiveWriter.Contents(
                instance: "log.example", made: made, keepUntil: made.adding(seconds: 86_400), treeSize: 3,
                treeRoot: [1, 2, 3], files: paths.map { ($0, home.path + "/" + $0) }),
            id: id, to: archive, register: try home.folder.register(),
            backupKeyFile: backupKeyFile ?? home.backupKeyFile, random: .live
        )
    }

    /// Opens the archive into a fresh folder, which is given.
    private func extract(_ officers: Officer...) throws -> TestHome {
        let target = try TestHome()
        _ = try ArchiveReader(archive).extract(to: target.path, by: try PresentOfficers(officers))
        return target
    }

    @Test func `two officers get every file back to the byte`() throws {
        try write()
        let target = try extract(b, a)
        for path in try ["shirushi.yaml", "data/core.sqlite"] + custodyFiles {
            #expect(
                try Files.read(target.path + "/" + path, atMost: 1 << 20)
                    == Files.read(home.path + "/" + path, atMost: 1 << 20))
        }
        let header = try ArchiveReader(archive).unverifiedHeader
        #expect(header.treeSize == 3 && header.keepUntil == made.seconds + 86_400)
    }

    @Test func `an archive shows no content and no secret`() throws {
        try write()
        let bytes = try Files.read(archive, atMost: 1 << 22)
        let content = try Files.read(home.path + "/data/core.sqlite", atMost: 1 << 20)
        #expect(Data(bytes).range(of: Data(content.prefix(32))) == nil)
        #expect(Data(bytes).range(of: Data("wrapping-1".utf8)) == nil)
        #expect(throws: HostError.self) { try Files.read(archive + ".part", atMost: 1) }
    }

    @Test func `an archive in which any byte changed is refused`() throws {
        try write()
        let size = try Files.read(archive, atMost: 1 << 22).count
        let header = 20 + (try headerLength())
        // All of the framing, and bytes all over the header and the frames.
        let places =
            Array(0..<24) + Array(stride(from: 24, to: header, by: 31)) + Array(header..<header + 8)
            + Array(stride(from: header + 8, to: size, by: 52_013)) + Array(size - 20..<size)
        for index in places {
            try home.flip(archive, at: index)
            #expect(throws: (any Error).self, "byte \(index)") { try extract(a, b) }
            try home.flip(archive, at: index)
        }
        _ = try extract(a, b)
    }

    @Test func `an archive that was cut off or has something behind it is refused`() throws {
        try write()
        let whole = try Files.read(archive, atMost: 1 << 22)
        for count in [0, 10, 20, 300, whole.count / 2, whole.count - 1] {
            try Files.write(Array(whole.prefix(count)), to: archive)
            #expect(throws: CeremonyError.self, "\(count) bytes") { try extract(a, b) }
        }
        try Files.write(whole + [0], to: archive)
        #expect(throws: CeremonyError.archiveRefused("something stands behind its end")) { try extract(a, b) }
    }

    @Test func `other officers open nothing, and a stranger does not make one of two`() throws {
        try write()
        let (c, d) = (try Officer.create(name: "C"), try Officer.create(name: "D"))
        let refusal = CeremonyError.envelopeRefused(label: "backup-\(Hex.encode(id))")
        #expect(throws: refusal) { try extract(c, d) }
        #expect(throws: refusal) { try extract(a, c) }
    }

    @Test func `an archive sealed to the officers by someone else is refused`() throws {
        let key = place.path + "/other.key"
        // Any key on P-256 but the instance's.
        try SecretFile.write([UInt8](repeating: 1, count: 32), to: key)
        try write(backupKeyFile: key)
        #expect(
            throws: CeremonyError.archiveRefused(
                "the instance whose officers signed its protocols did not sign it")
        ) { try extract(a, b) }
    }

    @Test func `an archive without the instance's protocols is refused`() throws {
        try write(["shirushi.yaml", "custody/officers.json"])
        #expect(throws: CeremonyError.self) { try extract(a, b) }
    }

    @Test(arguments: ["../outside", "/etc/outside", "data//x", "data/./x", ""])
    func `a file outside of the home is refused`(path: String) throws {
        _ = try ArchiveWriter.write(
            ArchiveWriter.Contents(
                instance: "log.example", made: made, keepUntil: made, treeSize: 0, treeRoot: [],
                files: [(path, home.path + "/shirushi.yaml")]),
            id: id, to: archive, register: try home.folder.register(), backupKeyFile: home.backupKeyFile,
            random: .live
        )
        #expect(throws: CeremonyError.archiveRefused("it names a file outside of an instance")) {
            try extract(a, b)
        }
    }

    private func headerLength() throws -> Int {
        try Files.read(archive, atMost: 1 << 22)[16..<20].reduce(0) { $0 << 8 | Int($1) }
    }
}

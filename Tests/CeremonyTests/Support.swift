import Ceremony
import Foundation
import HPKI
import Host
import Synchronization

/// A home in a folder that goes with it, with the officers of a test.
final class TestHome: Sendable {
    static let now = Instant(milliseconds: 1_767_323_045_000)

    let path: String
    let said = Mutex<[String]>([])

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "shirushi-ceremony-\(UUID())").path()
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try Files.makeFolder(path + "/secrets")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var folder: CustodyFolder { CustodyFolder(home: path) }
    var backupKeyFile: String { path + "/secrets/backup.key" }

    func ceremony(_ officers: Officer...) throws -> Ceremony {
        Ceremony(
            folder, present: try PresentOfficers(officers), instance: "log.example", clock: .fixed(Self.now),
            random: .live, say: { line in self.said.withLock { $0.append(line) } }
        )
    }

    /// Registers these officers and makes epoch 1 in `token`.
    @discardableResult
    func initialised(
        _ token: FakeToken, _ officers: Officer..., kind: WrappingKeyKind = .imported
    ) async throws
        -> CeremonyResult
    {
        let ceremony = Ceremony(
            folder, present: try PresentOfficers(officers), instance: "log.example", clock: .fixed(Self.now),
            random: .live, say: { _ in }
        )
        try ceremony.register()
        let pin = try ceremony.officerPINForNewToken()
        return try await ceremony.initialise(
            token, officerPIN: pin.label, kind: kind, backupKeyFile: backupKeyFile)
    }

    /// Changes one byte of a file.
    func flip(_ file: String, at index: Int) throws {
        var bytes = try Files.read(file, atMost: 1 << 24)
        bytes[index] ^= 1
        try Files.write(bytes, to: file)
    }
}

/// A token that keeps in the open what a real one hides.
final class FakeToken: CeremonyToken {
    struct Key: Hashable {
        enum Role { case wrapping, generated, rotation }
        let role: Role
        let label: String
        let id: [UInt8]
        let value: [UInt8]
    }

    struct Refusal: Error {}

    let facts: TokenFacts
    let keys = Mutex<[Key]>([])
    let failing = Mutex(false)

    init(serial: String = "serial-1") {
        facts = TokenFacts(label: "shirushi", serial: serial, module: "/usr/lib/module.so")
    }

    func importWrappingKey(_ value: LockedBytes, label: String, id: [UInt8]) async throws {
        try add(Key(role: .wrapping, label: label, id: id, value: value.copiedBytes))
    }

    func generateWrappingKey(label: String, id: [UInt8]) async throws {
        try add(Key(role: .generated, label: label, id: id, value: Random.live.bytes(32)))
    }

    func importRotationKey(_ value: LockedBytes, label: String, id: [UInt8]) async throws {
        try add(Key(role: .rotation, label: label, id: id, value: value.copiedBytes))
    }

    func destroy(id: [UInt8]) async throws { keys.withLock { $0.removeAll { $0.id == id } } }

    private func add(_ key: Key) throws {
        if failing.withLock({ $0 }) { throw Refusal() }
        keys.withLock { $0.append(key) }
    }

    var held: [Key] { keys.withLock { $0 } }
}

extension LockedBytes {
    static func of(_ text: String) -> LockedBytes { LockedBytes(Array(text.utf8)) }
}

import Foundation
import Glibc
import HPKI
import PKCS11

/// One SoftHSM token behind the shim for the whole process, with a key for each credential of the tests.
///
/// Its module is finalised again once the keys are made: each core that a test opens loads it anew.
struct TestToken: Sendable {
    struct Key: Sendable {
        let id: [UInt8]
        let subjectPublicKeyInfo: [UInt8]
    }

    static let shared = Task { try await TestToken() }
    static let label = "core"
    static let names = [
        "doctor-1-a", "doctor-2-a", "doctor-2-b", "pharmacist-1-a", "nurse-1-a", "director-1-a", "dentist-1-a",
    ]
    static let folder = FileManager.default.temporaryDirectory.appending(path: "shirushi-core-\(getpid())")

    let keys: [String: Key]
    var module: String { Self.folder.appending(path: "libshim.so").path }

    private init() async throws {
        atexit { try? FileManager.default.removeItem(at: TestToken.folder) }
        let folder = Self.folder
        let tokens = folder.appending(path: "tokens")
        try FileManager.default.createDirectory(at: tokens, withIntermediateDirectories: true)
        let configuration = folder.appending(path: "softhsm2.conf")
        try Data("directories.tokendir = \(tokens.path)\nlog.level = ERROR\n".utf8).write(to: configuration)
        let library = folder.appending(path: "libshim.so").path
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../ShimHSM/shim.c").path
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/cc")
        compiler.arguments = [
            "-shared", "-fPIC", "-O2", "-I/usr/include/p11-kit-1", "-o", library, source, "-ldl", "-lpthread",
        ]
        try compiler.run()
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
        unsafe setenv("SOFTHSM2_CONF", configuration.path, 1)
        unsafe setenv("SHIM_MODULE", "/usr/lib/softhsm/libsofthsm2.so", 1)
        unsafe setenv("SHIM_DIR", folder.path, 1)
        let module = try await PKCS11Module.load(path: library)
        let token = try await module.initializeToken(
            label: Self.label, securityOfficerPIN: Self.pin("87654321"), userPIN: Self.pin("1234"))
        let session = try await token.openSession(writable: true)
        try await session.login(Self.pin("1234"))
        var keys: [String: Key] = [:]
        for (index, name) in Self.names.enumerated() {
            let kind: KeyType = name == "dentist-1-a" ? .rsa2048 : .p256
            let id = [UInt8(index + 1)]
            let pair = try await session.generateKeyPair(kind, label: name, id: id)
            keys[name] = Key(id: id, subjectPublicKeyInfo: pair.subjectPublicKeyInfo)
        }
        await session.close()
        await module.finalize()
        self.keys = keys
    }

    private static func pin(_ text: String) -> PIN {
        var bytes = Array(text.utf8)
        return PIN(consuming: &bytes)
    }

    /// How often `C_Sign` has begun, by the shim's log.
    var uses: Int {
        guard let text = try? String(contentsOf: Self.folder.appending(path: "signs.log"), encoding: .utf8) else {
            return 0
        }
        return text.split(separator: "\n").count { $0.hasPrefix("sign ") }
    }

    /// Runs `body` while the shim's control file `fault` is there.
    func during<Value>(_ fault: String, _ text: String = "", _ body: () async throws -> Value) async throws -> Value {
        let file = Self.folder.appending(path: fault)
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await body()
    }
}

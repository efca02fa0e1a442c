import Foundation
import Glibc
import HPKI
import PKCS11

/// SoftHSM behind the shim, in a folder of this test process; a missing piece of it fails every test.
struct TestHSM: Sendable {
    let module: PKCS11Module
    let folder: URL
    let library: String

    /// One for the process: a module can be initialised once.
    static var shared: TestHSM {
        get async throws { try await starting.value }
    }

    private static let starting = Task { try await TestHSM() }

    private static let place = FileManager.default.temporaryDirectory.appending(path: "shirushi-pkcs11-\(getpid())")

    private init() async throws {
        folder = Self.place
        atexit { try? FileManager.default.removeItem(at: TestHSM.place) }
        let tokens = folder.appending(path: "tokens")
        try FileManager.default.createDirectory(at: tokens, withIntermediateDirectories: true)
        let configuration = folder.appending(path: "softhsm2.conf")
        try Data("directories.tokendir = \(tokens.path)\nlog.level = ERROR\n".utf8).write(to: configuration)
        let library = folder.appending(path: "libshim.so")
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../ShimHSM/shim.c").path
        try run(
            "/usr/bin/cc",
            "-shared", "-fPIC", "-O2", "-I/usr/include/p11-kit-1", "-o", library.path, source, "-ldl", "-lpthread")
        unsafe setenv("SOFTHSM2_CONF", configuration.path, 1)
        unsafe setenv("SHIM_MODULE", "/usr/lib/softhsm/libsofthsm2.so", 1)
        unsafe setenv("SHIM_DIR", folder.path, 1)
        self.library = library.path
        module = try await PKCS11Module.load(path: library.path)
    }

    /// A new token whose user has the PIN 1234, and a writable session logged in to it.
    func token(_ label: String) async throws -> (token: PKCS11Token, session: PKCS11Session) {
        let token = try await blankToken(label)
        let session = try await token.openSession(writable: true)
        try await session.login(.of("1234"))
        return (token, session)
    }

    /// A new token to which nobody is logged in.
    func blankToken(_ label: String) async throws -> PKCS11Token {
        try await module.initializeToken(label: label, securityOfficerPIN: .of("87654321"), userPIN: .of("1234"))
    }

    /// A new token with a wrapping key of the value `value`, or one generated in it, and a session of its user.
    ///
    /// The session is read-only, as those of a pool are.
    func wrapping(
        _ label: String, value: [UInt8]? = nil
    ) async throws -> (token: PKCS11Token, session: PKCS11Session, key: KeyHandle) {
        let token = try await blankToken(label)
        let officer = try await token.openOfficerSession(pin: .of("87654321"))
        if let value {
            try await officer.importWrappingKey(value, label: "epoch 1", id: [0xE1])
        } else {
            try await officer.generateWrappingKey(label: "epoch 1", id: [0xE1])
        }
        await officer.close()
        let session = try await token.openSession()
        try await session.login(.of("1234"))
        return (token, session, try await session.wrappingKey([0xE1]))
    }

    /// Runs `body` while the shim's control file `fault` is there.
    func during<Value>(_ fault: String, _ text: String = "", _ body: () async throws -> Value) async throws -> Value {
        let file = folder.appending(path: fault)
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await body()
    }

    func exists(_ fault: String) -> Bool { FileManager.default.fileExists(atPath: folder.appending(path: fault).path) }

    /// How often `C_Sign` began with an input that ends with `digest`, by the shim's log.
    func signatures(of digest: HPKI.Digest) -> Int {
        lines("signs.log").count { $0.hasPrefix("sign ") && $0.hasSuffix(digest.hex) }
    }

    /// The calls of `C_Login` so far, with what each returned.
    var logins: [String] { lines("logins.log") }

    /// What each call of `C_UnwrapKey` returned so far.
    var unwraps: [String] { lines("unwraps.log").compactMap { $0.split(separator: " ").last.map(String.init) } }

    /// The calls of `C_Initialize` so far, and the calls that were inside the module during `C_Finalize`.
    var renewals: [String] { lines("renewals.log") }

    private func lines(_ name: String) -> [String] {
        guard let text = try? String(contentsOf: folder.appending(path: name), encoding: .utf8) else { return [] }
        return text.split(separator: "\n").map(String.init)
    }
}

extension PKCS11Session {
    /// The handle of the secret key with this CKA_ID.
    func wrappingKey(_ id: [UInt8]) throws(PKCS11Error) -> KeyHandle {
        guard let key = try wrappingKeys().first(where: { $0.id == id }) else { throw .keyMissing }
        return key.handle
    }
}

extension PIN {
    static func of(_ text: String) -> PIN {
        var bytes = Array(text.utf8)
        return PIN(consuming: &bytes)
    }
}

extension ContinuousClock.Instant {
    static func `in`(_ wait: Duration) -> Self { .now.advanced(by: wait) }
}

/// Runs a program to its end; throws unless it succeeds.
func run(_ program: String, _ arguments: String...) throws {
    struct Failed: Error { let program: String, status: Int32 }
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(program: program, status: process.terminationStatus) }
}

/// Waits until `condition` holds, for ten seconds at most; says whether it came to hold.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<1000 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}

import Certificates
import Development
import Foundation
import HPKI
import Testing

/// A moment in the middle of the development certificates' lives.
let noon = Instant(seconds: 1_790_000_000)

/// A seeded source of bytes (SplitMix64), the same in every run.
struct Seeded {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// One set of authorities for all tests; each test that issues works on its own copy.
enum Shared {
    static let pki = Result { try DevelopmentPKI.create(random: fixedRandom, now: noon.adding(seconds: -86_400)) }
    static let holderKey = Result { try DevelopmentKey.rsa2048() }
    static let otherKey = Result { try DevelopmentKey.rsa2048() }
    static let fixedRandom = Random { count in [UInt8](repeating: 0x5A, count: count) }
}

let doctor = HolderProfile(
    romajiName: "Hanako Tameshi", japaneseName: "試し　花子", identifier: "dev-0001", roles: [.medicalDoctor],
    organization: "TAMESHI HOSPITAL", japaneseOrganization: "試し病院")

/// The folder of foreign vectors, or nil after a visible line saying that the test is left out.
func vectors(_ test: String) -> String? {
    let folder = ProcessInfo.processInfo.environment["SHIRUSHI_VECTORS"]
    if folder == nil { print("left out, SHIRUSHI_VECTORS is not set: \(test)") }
    return folder
}

/// The decoded contents of every element whose local name is `name`, by simple search.
func base64Elements(_ name: String, in path: String) throws -> [[UInt8]] {
    let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    return text.components(separatedBy: "\(name)>").compactMap { part in
        guard let end = part.range(of: "</") else { return nil }
        return Base64.decodeIgnoringWhiteSpace(Array(part[..<end.lowerBound].utf8)).flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// Replaces the one occurrence of `old` in `bytes`.
func replacing(_ old: [UInt8], by new: [UInt8], in bytes: [UInt8]) throws -> [UInt8] {
    let places = bytes.indices.filter { bytes[$0...].starts(with: old) }
    let place = try #require(places.first)
    #expect(places.count == 1)
    return Array(bytes[..<place]) + new + Array(bytes[(place + old.count)...])
}

/// A certificate authority's book with a fresh set of lists, as a validator sees it.
func validator(
    _ pki: inout DevelopmentPKI, listsAt: Instant = noon.adding(seconds: -3600),
    requirements: PathRequirements = .hpkiSigning
) throws -> PathValidator {
    let trust = pki.trustStore
    var store = CRLStore()
    for list in try pki.crls(now: listsAt).values {
        store = try store.adding(list, issuers: trust.anchors + trust.intermediates)
    }
    return PathValidator(trust: trust, crls: store, requirements: requirements)
}

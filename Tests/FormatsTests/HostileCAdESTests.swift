import Certificates
import Formats
import HPKI
import Testing
import Validation

/// Changed, cut and mutated signatures: refused, or changed where nothing was signed; never a trap.
@Suite struct HostileCAdESTests {
    /// SplitMix64, the same in every run.
    private struct Seeded {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
        mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    }

    private func passes(_ bytes: [UInt8], _ scene: CAdESScene, attached: Bool) -> Bool {
        let digest = Digest(of: CAdESScene.content, by: scene.algorithm.digestAlgorithm)
        return
            (try? OwnCheck.verifyCAdES(
                bytes, content: nil, contentDigest: attached ? nil : digest, certificate: scene.certificate.der)) != nil
    }

    /// The bytes that nothing vouches for: the version of SignedData, and the signer's unsigned attributes.
    private func unsigned(_ bytes: [UInt8]) throws -> Set<Int> {
        let signed = try CMSSignedData(contentInfo: bytes[...])
        var outer = try DERReader.whole(bytes[...]).children
        _ = try outer.next()
        var explicit = try outer.enter(.context(0))
        var fields = try explicit.enter()
        let version = try fields.next(.integer).contents
        let signer = signed.signers[0]
        return Set(version.indices).union(signer.signedFields.endIndex..<signer.encoded.endIndex)
    }

    @Test(arguments: [
        (SignatureLevel.bB, KeyType.p256, true), (.bB, .rsa2048, false), (.bT, .p384, false), (.bLTA, .p256, true),
    ])
    func `no byte that was signed or archived can be changed`(
        level: SignatureLevel, type: KeyType, attached: Bool
    ) throws {
        let scene = try CAdESScene(type)
        let original = try #require(
            try scene.levels(attached: attached, archivedBy: scene.algorithm.digestAlgorithm)[level])
        #expect(passes(original, scene, attached: attached))
        let free = try unsigned(original)
        var random = Seeded(state: 5652)
        var passed = 0
        // Where nothing is signed a sample shows that nothing traps.
        for place in original.indices where !free.contains(place) || place.isMultiple(of: 16) {
            for flip in [UInt8(1) << UInt8(random.below(8)), 0xFF] {
                var bytes = original
                bytes[place] ^= flip
                guard passes(bytes, scene, attached: attached) else { continue }
                passed += 1
                #expect(free.contains(place), "byte \(place) ^ \(flip)")
            }
        }
        print("CAdES \(level.rawValue): \(original.count) bytes, \(free.count) of them unsigned; \(passed) passed")
    }

    @Test func `every truncation is refused, and two thousand mutations are read or refused`() throws {
        let scene = try CAdESScene()
        let original = try #require(try scene.levels(attached: true)[.bLTA])
        for count in stride(from: 0, to: original.count, by: 7) {
            #expect(!passes(Array(original[..<count]), scene, attached: true))
        }
        var random = Seeded(state: 319_122)
        var read = 0
        for _ in 0..<2000 {
            var bytes = original
            for _ in 0...random.below(3) {
                let place = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[place] ^= 1 << UInt8(random.below(8))
                case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 2: bytes.remove(at: place)
                default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                }
            }
            _ = passes(bytes, scene, attached: true)
            guard let step = try? CAdESAugmentation(bytes) else { continue }
            read += 1
            // Whatever was read can be written and read again.
            let written = try step.adding(scene.material)
            #expect((try? CAdESAugmentation(written)) != nil)
        }
        #expect(read > 100)
    }
}

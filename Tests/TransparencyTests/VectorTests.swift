import Foundation
import HPKI
import Testing
import Transparency

@Suite struct `Vectors of transparency logs` {
    /// One case; which members it has tells its kind.
    private struct Case: Decodable {
        let leafIdx, treeSize, size1, size2, start, end, size: UInt64?
        let root, root1, root2, leafHash: Data?
        let proof: [Data]?
        let wantErr: Bool

        var holds: Bool? {
            let proof = (proof ?? []).map { Array($0) }
            func bytes(_ data: Data?) -> [UInt8] { Array(data ?? Data()) }
            if let leafIdx, let start, let end {
                guard start <= end else { return false }
                return MerkleProof.includes(
                    bytes(leafHash), at: leafIdx, in: start..<end, root: bytes(root), proof: proof)
            }
            if let leafIdx, let treeSize {
                return MerkleProof.includes(
                    bytes(leafHash), at: leafIdx, size: treeSize, root: bytes(root), proof: proof)
            }
            if let size1, let size2 {
                return MerkleProof.isConsistent(
                    earlierSize: size1, earlierRoot: bytes(root1), size: size2, root: bytes(root2), proof: proof)
            }
            if let start, let end, let size {
                guard start <= end else { return false }
                return MerkleProof.isConsistent(
                    start..<end, subtreeRoot: bytes(root1), size: size, root: bytes(root2), proof: proof)
            }
            return nil
        }
    }

    @Test func `all 518 Merkle proofs`() throws {
        guard let folder = vectors("merkle/testdata") else { return }
        var (agreed, count) = (0, 0)
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "json" {
            let vector = try JSONDecoder().decode(Case.self, from: Data(contentsOf: file))
            guard let holds = vector.holds else {
                Issue.record("\(file.path()) is of no known kind")
                continue
            }
            count += 1
            if holds != vector.wantErr {
                agreed += 1
            } else {
                Issue.record("\(file.path()): \(holds ? "accepted" : "refused")")
            }
        }
        print("Merkle proofs: agree \(agreed), disagree \(count - agreed), skipped 0")
        #expect(count == 518)
    }

    private struct Witness: Decodable { let verifier_keys: [String] }

    /// The checkpoint that one witness of the set cosigned, after its cosignature was found to hold.
    private func cosigned(_ folder: URL, _ witness: String, _ description: String, _ path: String) throws -> Checkpoint
    {
        let json = try Data(contentsOf: folder.appending(path: "\(witness)/\(description)"))
        let keys = try JSONDecoder().decode(Witness.self, from: json).verifier_keys.map { try NoteKey($0) }
        let note = try SignedNote(Array(Data(contentsOf: folder.appending(path: "\(witness)/\(path)/checkpoint"))))
        #expect(try note.signers(among: keys) == keys)
        return try Checkpoint(note, signedBy: keys)
    }

    @Test func `the tiles of a mirrored log give its root, and all witnesses' cosignatures hold`() throws {
        guard let folder = vectors("tlog-note/sunlight/cmd/skylight/testdata") else { return }
        let rome = "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706"
        let milan = "88ad7a28caeb0b2aa890fdf0304c2fcaf59fca2ee140134ff8c1300bac493482"
        let mirrored = try cosigned(folder, "witness/mirror", "mirror.v0.json", rome)
        var tree = TiledTree<any Error>(size: mirrored.size) { tile in
            Array(try Data(contentsOf: folder.appending(path: "witness/mirror/\(rome)/\(tile.path)")))
        }
        #expect(try tree.root(mirrored.size) == mirrored.root)
        #expect(try cosigned(folder, "witness", "witness.v0.json", rome).size == 300)
        #expect(try cosigned(folder, "witness2", "witness.v0.json", milan).size == 300)
        // The log's own signature is of a type that this project does not know: passed over, and nobody's.
        let note = try SignedNote(Array(Data(contentsOf: folder.appending(path: "tree/checkpoint"))))
        #expect(try Checkpoint(text: note.text).origin == "rome2026h1.example.org")
        #expect(throws: TransparencyError.noKnownSigner) { try note.signers(among: []) }
    }

    /// The leaf hashes of a bundle of RFC 6962 entries (C2SP static-ct-api, "Log Entries").
    private func leafHashes(_ bundle: [UInt8]) throws -> [[UInt8]] {
        var (position, hashes) = (0, [[UInt8]]())
        func skip(counted width: Int) throws {
            try #require(position + width <= bundle.count)
            position += width + bundle[position..<position + width].reduce(0) { $0 << 8 | Int($1) }
        }
        while position < bundle.count {
            let start = position
            let isPrecertificate = bundle[start + 9] == 1
            position += isPrecertificate ? 42 : 10
            try skip(counted: 3)
            try skip(counted: 2)
            hashes.append(MerkleTree.leafHash([0, 0] + bundle[start..<position]))
            if isPrecertificate { try skip(counted: 3) }
            try skip(counted: 2)
        }
        return hashes
    }

    @Test func `the entries of a real log hash to its tiles`() throws {
        guard let folder = vectors("tlog-note/sunlight/testdata/navigli2025h2") else { return }
        var (compared, files) = (0, 0)
        for path in ["000", "001", "002", "003", "003.p/10"] {
            let hashes = Array(try Data(contentsOf: folder.appending(path: "tile/0/\(path)")))
            let entries = try leafHashes(Array(Data(contentsOf: folder.appending(path: "tile/data/\(path)"))))
            #expect(entries.flatMap { $0 } == hashes, "\(path)")
            (compared, files) = (compared + entries.count, files + 1)
        }
        print("tiles of a real log: \(compared) entries of \(files) bundles agree")
    }
}

import Certificates
import Development
import Formats
import Foundation
import Fuzz
import HPKI
import Testing

/// Makes the corpora and their authorities anew, with new keys: SHIRUSHI_MAKE_CORPUS=1 swift test --filter CorpusMaker.
///
/// Inputs that libFuzzer found, in files whose names begin with `found-`, are kept.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SHIRUSHI_MAKE_CORPUS"] != nil), .serialized)
struct CorpusMaker {
    private static let random = Random { [UInt8](repeating: 0x5A, count: $0) }
    /// `-max_len` of scripts/fuzz.
    private static let longestSeed = 24_576
    private let trust = Corpus.folder.appending(path: "../Trust")

    @Test func `make the corpora`() throws {
        var world = try MadeWorld()
        try replace(trust.appending(path: "anchors"), ["root.crt": world.pki.root.der])
        var known = world.pki.trustStore.intermediates
        known.append(world.timeStamps.authorityCertificate)
        try replace(
            trust.appending(path: "intermediates"),
            Dictionary(uniqueKeysWithValues: known.enumerated().map { ("\($0.offset).crt", $0.element.der) }))
        var lists = try world.pki.crls(now: fuzzMoment)
        lists["tsa.crl"] = try world.timeStamps.crl(now: fuzzMoment)
        try replace(trust.appending(path: "crls"), lists)
        try replace(
            trust.appending(path: "leaves"),
            [
                "doctor.crt": world.doctor.certificate.der, "nurse.crt": world.nurse.certificate.der,
                "pharmacist.crt": world.pharmacist.certificate.der,
            ])

        var certificates = ["root": world.pki.root.der, "unit": world.timeStamps.certificate.der]
        for (index, authority) in known.enumerated() { certificates["authority-\(index)"] = authority.der }
        certificates["doctor"] = world.doctor.certificate.der
        try write(.certificate, certificates)
        for _ in 0..<40 { try world.revokeOne() }
        lists["revoked.crl"] = try world.pki.crls(now: fuzzMoment)["development-medis.crl"]
        try write(.crl, lists)
        try write(.ocsp, try world.ocspAnswers())
        let request = TimeStampRequest(for: Digest(of: Array("hello".utf8)), random: Self.random)
        let answer = world.timeStamps.answer(request.der, random: Self.random, now: fuzzMoment)
        try write(
            .timeStampResponse,
            ["granted": answer, "refused": world.timeStamps.answer([0x30, 0], random: Self.random, now: fuzzMoment)])
        let token = try TimeStampResponse(der: answer).token
        try write(.timeStampToken, ["token": token.der])
        try Data(token.der).write(to: trust.appending(path: "token"))
        try world.remember(SignedParts.of(token.signedData))
        let documents = try world.documents()
        try writeLevels(&world, documents)
        let texts = Self.texts.merging(
            (0..<40).map { ("generated-\($0)", GeneratedDocument(seed: UInt64($0)).text) }, uniquingKeysWith: { $1 })
        let inputs = texts.mapValues { Array($0.utf8) }
        try write(.xml, inputs.merging(documents, uniquingKeysWith: { $1 }))
        try write(.canonicalization, inputs)
        try write(.yaml, Self.yaml.mapValues { Array($0.utf8) })
    }

    /// Documents to be judged and raised, and what all of them are over.
    private func writeLevels(_ world: inout MadeWorld, _ documents: [String: [UInt8]]) throws {
        let evidence = try world.evidence()
        let xades = try world.xades(evidence)
        let cades = try world.cades(evidence)
        let longest = xades.merging(cades, uniquingKeysWith: { $1 }).values.map(\.count).max() ?? 0
        #expect(longest < Self.longestSeed, "libFuzzer cuts what is longer")
        try write(.cms, cades)
        try write(.validation, documents.merging(xades, uniquingKeysWith: { $1 }))
        // The higher levels are made of these.
        let low = xades.merging(cades, uniquingKeysWith: { $1 }).filter { !$0.key.contains("-lt") }
        try write(.augmentation, low.merging(["dispensing": documents["dispensing"] ?? []], uniquingKeysWith: { $1 }))
        let lines = world.signed.map { $0.hex + "\n" }.sorted().joined()
        try Data(lines.utf8).write(to: trust.appending(path: "signed"))
    }

    /// The seeds, and a cut of each: what is refused belongs to a corpus too.
    private func write(_ target: FuzzTarget, _ seeds: [String: [UInt8]]) throws {
        var files = seeds
        for (name, bytes) in seeds { files["\(name)-cut"] = Array(bytes.prefix(bytes.count * 2 / 3)) }
        try replace(Corpus.folder.appending(path: target.rawValue), files)
    }

    private func replace(_ folder: URL, _ files: [String: [UInt8]]) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where !name.hasPrefix("found-") {
            try FileManager.default.removeItem(at: folder.appending(path: name))
        }
        for (name, bytes) in files { try Data(bytes).write(to: folder.appending(path: name)) }
    }

    private static let texts = [
        "plain": "<Document id=\"Document\"><Prescription>\r\n<a/></Prescription></Document>",
        "declared": "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><!-- c --><?pi d?><a></a><!--e-->",
        "namespaces":
            "<a:x xmlns:a='urn:a' xmlns='urn:d' xml:lang='ja' Id='i'><b xmlns='' a:y='&quot;' z='1\t2'/></a:x>",
        "bases":
            "<a xml:base='http://h/a/b'><b xml:base='../c' xml:id='薬'><c xml:base='d/..' xml:space='preserve'/></b></a>",
        "texts": "<a>&lt;&#x1F600;&#13;<![CDATA[<&]]>]] >&amp;\r\r\n<!-- - --><?t  x ?></a>",
        "utilised": "<r xmlns:p='urn:p' xmlns:q='urn:q'><p:a q:b='1'><c xmlns:p='urn:o' p:d=''/><p:e/></p:a></r>",
        "doctype": "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "ids": "<a Id='i'><b id='i'/></a>",
        "reserved": "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xmlns:b='http://www.w3.org/2000/xmlns/'/>",
    ]

    private static let yaml = [
        "rules": "version: 1\nrules:\n  - name: sign\n    action: sign-prescription\n    roles: [Medical Doctor]\n",
        "kinds": "a: \"q\\u00e9\"\nb: 'it''s'\nc: [1, true, null, 15m]\nd: {e: {f: ~}}\ng: |\n  two\n  lines\n",
        "anchor": "a: &x [1]\nb: *x\n", "tags": "a: !!binary aGk=\nb: !own c\n",
        "deep": "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]",
        "merge": "a: {<<: {b: c}}\n? [complex]\n: key\n", "twice": "a: 1\na: 2\n", "empty": "---\n...\n",
    ]
}

import HPKI
import JOSE
import Testing

@Suite struct AuthorizationDetailsTests {
    private static let sha256 = "2.16.840.1.101.3.4.2.1"
    private static let edition2025 = "https://cloudsignatureconsortium.org/2025/credential"

    private static func digest(_ number: UInt8) -> Digest { Digest(of: [number]) }
    private static func hash(_ number: UInt8) -> JSONValue { .string(Base64.encode(digest(number).bytes)) }

    /// One entry in order but for the changes; nil takes a member away.
    private static func entry(_ changes: [String: JSONValue?] = [:]) -> JSONValue {
        var all: [String: JSONValue?] = [
            "type": "credential", "credentialID": "doctor-1-key", "hashAlgorithmOID": .string(sha256),
            "documentDigests": [["hash": hash(1), "label": "処方箋"], ["hash": hash(2)]],
        ]
        for (name, value) in changes { all[name] = .some(value) }
        return .object(
            all.sorted { $0.key < $1.key }.compactMap { name, value in value.map { JSONMember(name, $0) } })
    }

    private static func details(_ changes: [String: JSONValue?] = [:]) throws -> AuthorizationDetails {
        try AuthorizationDetails(JSONValue.array([entry(changes)]).bytes)
    }

    @Test func `what is written has the standard's names alone, padded Base64, and no label`() throws {
        let read = try Self.details(["numSignatures": 2, "locations": ["https://sign.example"]])
        #expect(read.entries[0].documentDigests.map(\.hash) == [Self.digest(1), Self.digest(2)])
        let expected: JSONValue = [
            [
                "type": "credential", "credentialID": "doctor-1-key", "numSignatures": 2,
                "documentDigests": [["hash": Self.hash(1)], ["hash": Self.hash(2)]],
                "hashAlgorithmOID": .string(Self.sha256), "locations": ["https://sign.example"],
            ]
        ]
        #expect(read.value == expected)
        #expect(try AuthorizationDetails(read.json) == read, "what is written is read as the same")
    }

    @Test(
        arguments: [
            ["documentDigests": nil, "documentInfos": [["hash": hash(1)], ["hash": hash(2)]]],
            ["documentDigests": nil, "hashes": [hash(1), hash(2)]],
            [
                "documentDigests": nil,
                "hashes": .string([1, 2].map { Base64URL.encode(digest($0).bytes) }.joined(separator: ",")),
            ],
            [
                "documentDigests": [
                    ["hash": .string(Base64URL.encode(digest(1).bytes))],
                    ["hash": .string(Base64URL.encode(digest(2).bytes) + "=")],
                ]
            ],
        ] as [[String: JSONValue?]])
    func `digests are found under the names and alphabets that clients use`(changes: [String: JSONValue?]) throws {
        #expect(try Self.details(changes).entries[0].documentDigests.map(\.hash) == [Self.digest(1), Self.digest(2)])
    }

    @Test func `the edition of 2025 has its own type, and says what a digest is over`() throws {
        let read = try Self.details([
            "type": .string(Self.edition2025), "documentDigests": [["hash": Self.hash(1), "hashType": "dtbsr"]],
        ])
        #expect(read.types == [Self.edition2025] && read.entries[0].documentDigests[0].type == .dtbsr)
        #expect(read.value.elements?[0]["documentDigests"]?.elements?[0]["hashType"] == "dtbsr")
    }

    @Test(
        arguments: [
            ["type": nil], ["type": 1], ["credentialID": nil], ["credentialID": ""], ["credentialID": "a b"],
            ["credentialID": 1], ["hashAlgorithmOID": nil], ["hashAlgorithmOID": "1.3.14.3.2.26"],
            ["hashAlgorithmOID": "2.16.840.1.101.3.4.2.2"], ["documentDigests": nil], ["documentDigests": []],
            ["documentDigests": [["hash": "AA=="]]], ["documentDigests": [["label": "x"]]],
            ["documentDigests": [["hash": hash(1)], ["hash": hash(1)]]],
            ["documentDigests": [["hash": hash(1), "hashType": "other"]]],
            ["documentDigests": [["hash": hash(1), "access": "public"]]], ["documentDigests": "text"],
            ["hashes": [hash(1)]], ["numSignatures": 0], ["numSignatures": 3], ["numSignatures": "1"],
            ["locations": []], ["locations": "https://sign.example"], ["locations": ["a b"]], ["actions": ["sign"]],
        ] as [[String: JSONValue?]])
    func `an entry that is not as its type prescribes is refused`(changes: [String: JSONValue?]) {
        #expect {
            try Self.details(changes)
        } throws: {
            if case AuthorizationDetailsError.malformed? = $0 as? AuthorizationDetailsError { true } else { false }
        }
    }

    @Test func `unknown types, other JSON, and what no token could carry are refused`() throws {
        for type in [
            "Credential", "payment_initiation", "https://cloudsignatureconsortium.org/2025/credential-creation",
        ] {
            #expect(throws: AuthorizationDetailsError.unknownType) { try Self.details(["type": .string(type)]) }
        }
        for text in ["", "{}", "[]", "[1]", "[{\"type\":\"credential\",\"type\":\"credential\"}]", "[[[[[[[[1]]]]]]]]"]
        {
            #expect(throws: AuthorizationDetailsError.self, "\(text)") { try AuthorizationDetails(Array(text.utf8)) }
        }
        let many = JSONValue.array((0..<200).map { ["hash": Self.hash($0)] })
        #expect(throws: AuthorizationDetailsError.tooLong) { try Self.details(["documentDigests": many]) }
        let long = Array(repeating: UInt8(ascii: " "), count: AuthorizationDetails.byteLimit + 1)
        #expect(throws: AuthorizationDetailsError.tooLong) { try AuthorizationDetails(long) }
        let entries = JSONValue.array(Array(repeating: Self.entry(), count: 17))
        #expect(throws: AuthorizationDetailsError.self) { try AuthorizationDetails(entries) }
    }

    @Test func `less is covered, and more, other or twice the same is not`() throws {
        let granted = try Self.details(["numSignatures": 1, "locations": ["https://a.example", "https://b.example"]])
        func covers(_ changes: [String: JSONValue?]) throws -> Bool {
            let one: [String: JSONValue?] = [
                "documentDigests": [["hash": Self.hash(2)]], "locations": ["https://b.example"],
            ]
            return granted.covers(try Self.details(one.merging(changes) { $1 }))
        }
        #expect(granted.covers(granted))
        #expect(try covers([:]))
        #expect(try !covers(["documentDigests": [["hash": Self.hash(1)], ["hash": Self.hash(2)]]]), "one signature")
        #expect(try !covers(["documentDigests": [["hash": Self.hash(3)]]]))
        #expect(try !covers(["credentialID": "other"]))
        #expect(try !covers(["credentialID": nil, "signatureQualifier": "jp_esign"]))
        #expect(try !covers(["type": .string(Self.edition2025)]))
        #expect(try !covers(["locations": nil]), "anywhere is more than two places")
        #expect(try !covers(["locations": ["https://c.example"]]))
        let twice = try AuthorizationDetails(.array([granted.value, granted.value].compactMap { $0.elements?[0] }))
        #expect(!granted.covers(twice) && twice.covers(granted))
    }
}

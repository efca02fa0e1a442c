/// Who the officers of an instance are: at least two, with different names and keys.
package struct OfficerRegister: Sendable, Hashable {
    /// Envelopes hold one share for each pair.
    package static let limit = 16

    /// In the order of their fingerprints.
    package let officers: [OfficerIdentity]

    /// A register of these people; throws `.tooFewOfficers`, `.tooManyOfficers` and `.sameOfficer`.
    package init(_ officers: [OfficerIdentity]) throws(CeremonyError) {
        for (index, officer) in officers.enumerated() {
            try OfficerIdentity.check(name: officer.name)
            if officers[..<index].contains(where: { $0.clashes(with: officer) }) { throw .sameOfficer(officer.name) }
        }
        guard officers.count >= 2 else { throw .tooFewOfficers }
        guard officers.count <= Self.limit else { throw .tooManyOfficers(limit: Self.limit) }
        self.officers = officers.sorted { "\($0.fingerprint)" < "\($1.fingerprint)" }
    }

    /// SHA-256 of the register's file: what protocols name it by.
    package var digest: HexBytes {
        get throws(CeremonyError) { HexBytes(sha256(try bytes)) }
    }

    /// Throws `.notRegistered` for a stranger.
    package func check(_ officer: OfficerIdentity) throws(CeremonyError) {
        guard officers.contains(officer) else { throw .notRegistered(officer: officer.name) }
    }

    func officer(_ fingerprint: HexBytes) -> OfficerIdentity? {
        officers.first { $0.fingerprint == fingerprint }
    }
}

extension OfficerRegister {
    private struct File: Codable {
        let kind: String
        let version: Int
        let officers: [OfficerIdentity]
    }

    private static let kind = "shirushi officers"

    var bytes: [UInt8] {
        get throws(CeremonyError) {
            try CustodyJSON.bytes(File(kind: Self.kind, version: 1, officers: officers))
        }
    }

    init(bytes: [UInt8], at path: String) throws(CeremonyError) {
        let file = try CustodyJSON.value(File.self, from: bytes, at: path)
        guard file.kind == Self.kind, file.version == 1 else {
            throw .damaged(path: path, what: "it is no register of this release")
        }
        self = try OfficerRegister(file.officers)
        guard officers == file.officers else { throw .damaged(path: path, what: "its officers are not in order") }
    }
}

/// The officers of one ceremony: two or more different people, unlocked.
package struct PresentOfficers: Sendable {
    package let officers: [Officer]

    /// Throws `.tooFewOfficers`, and `.sameOfficer` where one person, key or file stands twice.
    package init(_ officers: [Officer]) throws(CeremonyError) {
        for (index, officer) in officers.enumerated()
        where officers[..<index].contains(where: { $0.identity.clashes(with: officer.identity) }) {
            throw .sameOfficer(officer.identity.name)
        }
        guard officers.count >= 2 else { throw .tooFewOfficers }
        self.officers = officers
    }

    /// The register that these officers make together.
    package var register: OfficerRegister {
        get throws(CeremonyError) { try OfficerRegister(officers.map(\.identity)) }
    }

    /// Throws `.notRegistered` unless all of them are in the register.
    package func check(against register: OfficerRegister) throws(CeremonyError) {
        for officer in officers { try register.check(officer.identity) }
    }
}

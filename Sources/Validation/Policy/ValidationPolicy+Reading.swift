internal import Foundation
internal import HPKI
package import YAML

extension ValidationPolicy {
    /// The policy that holds where none is named; `policies/validation.yaml` says the same.
    package static let standard = ValidationPolicy(
        id: "shirushi-standard", digest: nil,
        signatureAlgorithms: Dictionary(
            uniqueKeysWithValues: knownSignatureAlgorithms.map { ($0, Optional<Instant>.none) }),
        digestAlgorithms: [.sha256: nil, .sha384: nil, .sha512: nil], minimumModulusBits: 2048,
        certificatePolicies: nil,
        roles: [.prescription: ["Medical Doctor", "Dentist"], .dispensing: ["Pharmacist"], .other: []],
        timeStampPolicies: [], timeStampAccuracySeconds: nil, toleranceSeconds: 300, signerTrust: [],
        timeStampTrust: [])

    /// The file that ships with the product: `policies/validation.yaml`.
    package static var shippedFile: [UInt8] { PackageResources.validation_yaml }

    /// Reads a policy from its YAML file, whole or not at all (the notation stands in `policies/README.md`).
    package init(reading file: [UInt8]) throws(YAMLError) {
        let root = try YAMLNode.read(file).mapping(allowed: [
            "policy", "version", "signature-algorithms", "digest-algorithms", "minimum-rsa-bits", "roles",
            "certificate-policies", "time-stamps", "clock-tolerance", "anchors",
        ])
        _ = try root.required("version").integer(in: 1...1)
        self = .standard
        id = try root.required("policy").string(atMost: 64)
        digest = Digest(of: file)
        signatureAlgorithms = try Self.algorithms(try root.required("signature-algorithms")) { name in
            Self.knownSignatureAlgorithms.contains(name) ? name : nil
        }
        digestAlgorithms = try Self.algorithms(try root.required("digest-algorithms")) { name in
            DigestAlgorithm(rawValue: name)
        }
        minimumModulusBits = try root.required("minimum-rsa-bits").integer(in: 2048...4096)
        roles = [:]
        let kinds = try root.required("roles").mapping(allowed: DocumentForm.allCases.map(\.rawValue))
        for form in DocumentForm.allCases { roles[form] = Set(try kinds.required(form.rawValue).strings()) }
        certificatePolicies = try root["certificate-policies"].map { (node) throws(YAMLError) in
            Set(try node.strings())
        }
        if let node = root["time-stamps"] {
            let map = try node.mapping(allowed: ["policies", "accuracy"])
            timeStampPolicies = try map["policies"].map { (node) throws(YAMLError) in Set(try node.strings()) } ?? []
            timeStampAccuracySeconds = try map["accuracy"].map { (node) throws(YAMLError) in
                Int64(try node.duration(in: 1...3600))
            }
        }
        if let node = root["clock-tolerance"] { toleranceSeconds = Int64(try node.duration(in: 0...3600)) }
        if let node = root["anchors"] {
            let map = try node.mapping(allowed: ["signers", "time-stamps"])
            signerTrust = try map["signers"]?.strings() ?? []
            timeStampTrust = try map["time-stamps"]?.strings() ?? []
        }
    }

    /// `name: accepted`, or the day from which the algorithm counts no more, as `2031-01-01`.
    private static func algorithms<Name: Hashable>(
        _ node: YAMLNode, _ name: (String) -> Name?
    ) throws(YAMLError) -> [Name: Instant?] {
        let map = try node.mapping()
        guard !map.entries.isEmpty else { throw node.fault("must have at least one entry") }
        var found: [Name: Instant?] = [:]
        for entry in map.entries {
            guard let key = name(entry.key) else { throw entry.value.fault("an algorithm that is known here") }
            let word = try entry.value.string(atMost: 16)
            var until: Instant?
            if word != "accepted" {
                guard let day = day(word) else { throw entry.value.fault("`accepted` or a day such as 2031-01-01") }
                until = day
            }
            found.updateValue(until, forKey: key)
        }
        return found
    }

    private static func day(_ text: String) -> Instant? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.map(\.utf8.count) == [4, 2, 2], let year = Int(parts[0]),
            let month = Int(parts[1]), let day = Int(parts[2])
        else { return nil }
        return Instant(year: year, month: month, day: day)
    }
}

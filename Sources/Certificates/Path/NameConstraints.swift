/// The names that certificates below an authority may and may not have (RFC 5280 §4.2.1.10).
package struct NameConstraints: Sendable, Hashable {
    static let limit = 2048

    /// Trees of names; of every form that stands here, a name must be in one of its trees.
    package let permitted: [GeneralName]
    /// Trees in which no name may be.
    package let excluded: [GeneralName]

    /// Reads the extension's value; at most 2048 trees each.
    ///
    /// Minimum and maximum must be left out, as the profile says.
    init(der: ArraySlice<UInt8>) throws(DERError) {
        var fields = try DERReader.whole(der).children
        guard !fields.isAtEnd else { throw .invalidValue }
        permitted = try Self.readTrees(fields.enterOptional(.context(0)))
        excluded = try Self.readTrees(fields.enterOptional(.context(1)))
        try fields.end()
    }

    private static func readTrees(_ reader: DERReader?) throws(DERError) -> [GeneralName] {
        guard var reader else { return [] }
        var trees: [GeneralName] = []
        repeat {
            guard trees.count < limit else { throw .tooMany }
            var tree = try reader.enter()
            trees.append(try GeneralName(try tree.next()))
            try tree.end()
        } while !reader.isAtEnd
        return trees
    }
}

/// Applies the name constraints of a path's authorities to the certificates below them (RFC 5280 §6.1.3 (b) and (c)).
struct NameCheck {
    /// Why names do not pass.
    enum Outcome {
        case notPermitted(GeneralName)
        /// A form that is not understood is constrained.
        case notUnderstood
        case tooComplex
    }

    private var constraints: [NameConstraints] = []
    /// How many comparisons of a name and a tree may still be made.
    private(set) var comparisonsLeft: Int

    /// A check without limits on names yet.
    init(comparisonsLeft: Int) {
        self.comparisonsLeft = comparisonsLeft
    }

    /// Adds what an authority demands of all certificates below it.
    mutating func add(_ more: NameConstraints?) {
        if let more { constraints.append(more) }
    }

    /// The first name of `certificate` that is not permitted; nil where all are.
    mutating func fault(of certificate: HPKICertificate, isLeaf: Bool) -> Outcome? {
        // A self-issued certificate is its authority's own, unless it is the last.
        guard !constraints.isEmpty, isLeaf || !certificate.isSelfIssued else { return nil }
        for name in Self.names(of: certificate, isLeaf: isLeaf) {
            for constraint in constraints {
                comparisonsLeft -= constraint.permitted.count + constraint.excluded.count
                guard comparisonsLeft >= 0 else { return .tooComplex }
                if let outcome = Self.judge(name, by: constraint) { return outcome }
            }
        }
        return nil
    }

    private static func judge(_ name: GeneralName, by constraint: NameConstraints) -> Outcome? {
        func isSameForm(_ tree: GeneralName) -> Bool { tree.form.number == name.form.number }
        let permitted = constraint.permitted.filter(isSameForm)
        let excluded = constraint.excluded.filter(isSameForm)
        guard !permitted.isEmpty || !excluded.isEmpty else { return nil }
        switch name.form {
        case .otherName, .x400Address, .ediPartyName, .registeredID: return .notUnderstood
        case .rfc822Name, .dNSName, .directoryName, .uniformResourceIdentifier, .iPAddress: break
        }
        for tree in excluded where NameTree.place(of: name.form, in: tree.form, isExclusion: true) != .outside {
            return .notPermitted(name)
        }
        guard !permitted.isEmpty else { return nil }
        let isInside = permitted.contains { NameTree.place(of: name.form, in: $0.form, isExclusion: false) == .inside }
        return isInside ? nil : .notPermitted(name)
    }

    /// The names that constraints apply to.
    ///
    /// Beside the subject and subjectAltName these are addresses in the subject, and, in a holder's certificate without
    /// a dNSName, a common name that looks like a host's, since programs take it for one.
    private static func names(of certificate: HPKICertificate, isLeaf: Bool) -> [GeneralName] {
        var names = certificate.extensions.alternativeNames
        let hasHost = names.contains { if case .dNSName = $0.form { true } else { false } }
        if !certificate.subject.isEmpty { names.append(GeneralName(certificate.subject)) }
        names += certificate.subject.all(OID.emailAddress).map { GeneralName(address: $0) }
        if isLeaf, !hasHost {
            let hosts = certificate.subject.all(OID.commonName).filter(NameTree.looksLikeHost)
            names += hosts.map { GeneralName(host: $0) }
        }
        return names
    }
}

extension GeneralName {
    fileprivate init(address: String) { self.init(text: address, .contextPrimitive(1)) { .rfc822Name($0) } }
    fileprivate init(host: String) { self.init(text: host, .contextPrimitive(2)) { .dNSName($0) } }

    private init(text: String, _ tag: DERTag, _ form: (String?) -> Form) {
        let octets = Array(text.utf8)
        self.init(der: DER.value(tag, octets), form: form(octets.allSatisfy { $0 < 0x80 } ? text : nil))
    }
}

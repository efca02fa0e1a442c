extension CMSSignedData {
    /// What is to be added to a SignedData, everything in DER; no signature is over any of it.
    package struct Addition: Sendable {
        /// CertificateChoices.
        package var certificates: [[UInt8]]
        /// RevocationInfoChoices.
        package var revocation: [[UInt8]]
        /// Attributes for one signer.
        package var unsignedAttributes: [[UInt8]]
        /// AlgorithmIdentifiers for the outer list of functions.
        package var digestAlgorithms: [[UInt8]]

        /// An addition, by default of nothing.
        package init(
            certificates: [[UInt8]] = [], revocation: [[UInt8]] = [], unsignedAttributes: [[UInt8]] = [],
            digestAlgorithms: [[UInt8]] = []
        ) {
            self.certificates = certificates
            self.revocation = revocation
            self.unsignedAttributes = unsignedAttributes
            self.digestAlgorithms = digestAlgorithms
        }
    }

    /// The ContentInfo with more in it; nil where there is no signer of this index.
    ///
    /// What was signed stays byte for byte, and so do fields to which nothing is added. A set that grows is put in
    /// DER's order, each element once; the signers alone keep their order, so that an index stays one signer's.
    package func adding(_ addition: Addition, toSigner index: Int) -> [UInt8]? {
        guard signers.indices.contains(index) else { return nil }
        let functions = Self.union(digestAlgorithmSet.children, addition.digestAlgorithms)
        let certificates = Self.union(certificateChoices, addition.certificates)
        let revocation = Self.union(revocationChoices, addition.revocation)
        let version = CMSEncoding.version(
            contentType: contentType, certificateTags: certificates.compactMap(CMSEncoding.tag),
            revocationTags: revocation.compactMap(CMSEncoding.tag), signerVersions: signers.map(\.version))
        var infos = signers.map { Array($0.encoded) }
        if !addition.unsignedAttributes.isEmpty {
            infos[index] = signers[index].adding(unsignedAttributes: addition.unsignedAttributes)
        }
        return CMSEncoding.contentInfo(fields: [
            DER.integer(UInt64(version)), DER.value(.set, functions.flatMap(\.self)),
            Array(encapsulatedContent.encoded),
            certificates.isEmpty ? [] : DER.value(.context(0), certificates.flatMap(\.self)),
            revocation.isEmpty ? [] : DER.value(.context(1), revocation.flatMap(\.self)),
            DER.value(.set, infos.flatMap(\.self)),
        ])
    }

    /// The ContentInfo of a detached signature with its content inside; no signature is over how that is kept.
    package func attaching(_ content: [UInt8]) -> [UInt8] {
        func set(_ number: UInt8, _ choices: [DERElement]) -> [UInt8] {
            choices.isEmpty ? [] : DER.value(.context(number), choices.flatMap { Array($0.encoded) })
        }
        return CMSEncoding.contentInfo(fields: [
            DER.integer(UInt64(version)), DER.value(.set, Self.union(digestAlgorithmSet.children, []).flatMap(\.self)),
            DER.sequence(Array(contentTypeDER), DER.explicit(0, DER.octetString(content))),
            set(0, certificateChoices), set(1, revocationChoices),
            DER.value(.set, signers.flatMap { Array($0.encoded) }),
        ])
    }

    private static func union(_ list: DERReader, _ added: [[UInt8]]) -> [[UInt8]] {
        var list = list
        var present: [DERElement] = []
        while let element = try? list.next() { present.append(element) }
        return union(present, added)
    }

    /// Elements as they stand where nothing new comes; otherwise all in DER's order, each once (X.690 §11.6).
    private static func union(_ present: [DERElement], _ added: [[UInt8]]) -> [[UInt8]] {
        let old = present.map { Array($0.encoded) }
        let known = Set(old)
        let new = Set(added).subtracting(known)
        return new.isEmpty ? old : known.union(new).sorted { $0.lexicographicallyPrecedes($1) }
    }
}

extension CMSSignerInfo {
    /// The SignerInfo with more unsigned attributes, all in DER's order.
    fileprivate func adding(unsignedAttributes added: [[UInt8]]) -> [UInt8] {
        let all = unsignedAttributes.map { Array($0.encoded) } + added
        return DER.sequence(Array(signedFields), CMSEncoding.implicit(1, DER.set(of: all)))
    }
}

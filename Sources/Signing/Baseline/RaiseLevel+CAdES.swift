internal import Certificates
internal import Formats
internal import HPKI

extension RaiseLevel {
    /// The signature of this signer of a CMS SignedData raised to `level`.
    ///
    /// `contentDigest` is needed for an archive time stamp over a detached signature.
    func cades(
        _ bytes: [UInt8], signer number: Int, to level: SignatureLevel, contentDigest: Digest?
    ) async throws(Failure) -> [UInt8] {
        var bytes = bytes
        let first = try augmentation(bytes, number)
        if level >= .bT, first.tokens(OID.signatureTimeStamp).isEmpty {
            let token = try await evidence.stamp(Digest(of: first.signatureTimeStampOctets))
            bytes = try told { () throws(CAdESError) in try first.adding(signatureTimeStamp: token) }
        }
        if level >= .bLT {
            let stamped = try augmentation(bytes, number)
            let material = try await material(of: stamped)
            bytes = try told { () throws(CAdESError) in try stamped.adding(material) }
        }
        if level >= .bLTA {
            let kept = try augmentation(bytes, number)
            let input = try told { () throws(CAdESError) in
                try kept.archiveTimeStamp(by: contentDigest?.algorithm ?? .sha256, contentDigest: contentDigest)
            }
            let token = try await evidence.stamp(input.imprint)
            bytes = try told { () throws(CAdESError) in try kept.adding(archiveTimeStamp: token, input) }
        }
        return bytes
    }

    /// What verifiers of the signer and of every time stamp need.
    private func material(of signature: CAdESAugmentation) async throws(Failure) -> ValidationMaterial {
        let certificates = signature.signedData.certificates
        let info = signature.signedData.signers[signature.signerIndex]
        guard let signer = certificates.first(where: info.names) else {
            throw Failure(.wrongDocument, "The signature does not hold its signer's certificate.")
        }
        var all = try await evidence.material(signer, certificates)
        for token in signature.tokens(OID.signatureTimeStamp) + signature.tokens(OID.archiveTimeStampV3) {
            let more = try await evidence.material(ofTimeStamp: token)
            all.certificates += more.certificates
            all.crls += more.crls
            all.ocspResponses += more.ocspResponses
        }
        return all
    }

    private func augmentation(_ bytes: [UInt8], _ number: Int) throws(Failure) -> CAdESAugmentation {
        try told { () throws(CAdESError) in try CAdESAugmentation(bytes, signer: number) }
    }

    private func told<Value>(_ body: () throws(CAdESError) -> Value) throws(Failure) -> Value {
        do { return try body() } catch {
            switch error {
            case .notSignedData, .noSuchSigner:
                throw Failure(.wrongDocument, "There is no CMS signature here that can be read: \(error).")
            case .contentMissing:
                throw Failure(.malformedRequest, "The signature is detached: its content is needed.")
            case .contentNotOfDigest: throw Failure(.wrongDocument, "The content is not what was signed.")
            case .notTimeStamp, .timeStampOfOtherData, .signatureChanged, .materialMalformed:
                throw .surprised("a CAdES signature cannot be raised: \(error)")
            }
        }
    }
}

extension CAdESAugmentation {
    /// The time-stamp tokens of this attribute of the signer.
    fileprivate func tokens(_ type: String) -> [[UInt8]] {
        signedData.signers[signerIndex].unsignedAttributes.filter { $0.type == type }
            .flatMap { $0.values.map { Array($0.encoded) } }
    }
}

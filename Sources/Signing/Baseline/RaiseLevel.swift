internal import Certificates
internal import Formats
internal import HPKI
internal import Validation
internal import XML

/// Adds to a signature what its next levels have; what is there already stays, byte for byte.
struct RaiseLevel {
    let evidence: LevelEvidence
    let limits: XMLLimits

    /// The XAdES signature with this place among all of the document raised to `level`; the last one where none is named.
    ///
    /// `content` is what is at hand of data outside the document, for an archive time stamp.
    func xades(
        _ bytes: [UInt8], signature place: Int? = nil, to level: SignatureLevel, _ content: DetachedContent
    ) async throws(Failure) -> [UInt8] {
        var bytes = bytes
        let (first, number) = try read(bytes, place)
        if level >= .bT, !first.hasTimeStamp {
            let token = try await evidence.stamp(Digest(of: first.timeStampOctets))
            bytes = first.adding(signatureTimeStamp: token)
        }
        if level >= .bLT { bytes = try await withMaterial(bytes, number, content) }
        if level >= .bLTA {
            guard let octets = try raisable(bytes, number, content).archiveOctets else {
                throw Failure(.malformedRequest, "The signature is detached: its content is needed.")
            }
            let token = try await evidence.stamp(Digest(of: octets))
            bytes = try read(bytes, number).0.adding(archiveTimeStamp: token)
        }
        return bytes
    }

    /// With the material of each time stamp that has none yet, and of the signer.
    private func withMaterial(
        _ bytes: [UInt8], _ number: Int, _ content: DetachedContent
    ) async throws(Failure) -> [UInt8] {
        var bytes = bytes
        let before = try read(bytes, number).0
        for (id, token) in before.timeStamps where !before.timeStampsWithMaterial.contains(id ?? "") {
            let material = try await evidence.material(ofTimeStamp: token)
            bytes = try read(bytes, number).0.adding(material, ofTimeStamp: id)
        }
        guard !before.hasValidationMaterial else { return bytes }
        let signer = try raisable(bytes, number, content)
        let material = try await evidence.material(signer.certificate, signer.others)
        return try read(bytes, number).0.adding(material)
    }

    private func raisable(
        _ bytes: [UInt8], _ number: Int, _ content: DetachedContent
    ) throws(Failure) -> RaisableXAdES {
        let document = try document(bytes)
        do { return try RaisableXAdES(document, signature: number, content) } catch {
            throw Failure(.signatureRejected, "The signature does not hold: \(error.sentence)", reasons: [error.reason])
        }
    }

    private func read(_ bytes: [UInt8], _ place: Int?) throws(Failure) -> (XAdESAugmentation, Int) {
        let document = try document(bytes)
        let all = document.signatures
        let number = place ?? all.count - 1
        guard all.indices.contains(number) else {
            throw Failure(.wrongDocument, "The document has no signature of this number.")
        }
        do { return (try XAdESAugmentation(document, signature: all[number]), number) } catch {
            throw Failure(.wrongDocument, "The signature is no XAdES signature.")
        }
    }

    private func document(_ bytes: [UInt8]) throws(Failure) -> XMLDocument {
        guard bytes.count <= limits.bytes else {
            throw Failure(.tooLarge, "With what its level adds the signature is longer than \(limits.bytes) bytes.")
        }
        do { return try XMLDocument(parsing: bytes, limits: limits) } catch {
            throw Failure(.invalidXML, "The document is refused by the XML reader: \(error).")
        }
    }
}

import Foundation

/// Why the folder of trusted certificates cannot be used; every case names the file.
package enum TrustStoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The folder is missing or cannot be listed.
    case unreadableFolder(String)
    /// The file is missing, unreadable or too large.
    case unreadableFile(String)
    /// The file does not hold certificates.
    case notCertificates(String, CertificateError)
    /// The file does not hold a CRL that can be used.
    case unusableCRL(String, CRLError)

    /// What is wrong, for an operator.
    package var description: String {
        switch self {
        case .unreadableFolder(let path): "the folder \(path) cannot be read"
        case .unreadableFile(let path): "the file \(path) cannot be read"
        case .notCertificates(let path, let error): "\(path): \(error.explanation)"
        case .unusableCRL(let path, let error): "\(path): \(error.explanation)"
        }
    }
}

/// The authorities in which the operator has put trust, and the ones below them; immutable.
package struct TrustStore: Sendable {
    /// Trusted as they are; where several have one name, the key identifier tells them apart.
    package let anchors: [HPKICertificate]
    /// Known, and trusted only as far as a path to an anchor proves them.
    package let intermediates: [HPKICertificate]

    /// A store of certificates read before.
    package init(anchors: [HPKICertificate], intermediates: [HPKICertificate] = []) {
        self.anchors = anchors
        self.intermediates = intermediates
    }

    /// Reads `anchors/` and `intermediates/` in `folder`: files in DER or PEM, hidden ones passed over.
    package static func load(folder: String) throws(TrustStoreError) -> TrustStore {
        TrustStore(
            anchors: try certificates(in: folder + "/anchors"),
            intermediates: try certificates(in: folder + "/intermediates"))
    }

    private static func certificates(in folder: String) throws(TrustStoreError) -> [HPKICertificate] {
        var found: [HPKICertificate] = []
        for path in try files(in: folder) {
            let bytes = try read(path, atMost: 1 << 20)
            do {
                found += try HPKICertificate.read(file: bytes)
            } catch {
                throw .notCertificates(path, error)
            }
        }
        return found
    }

    fileprivate static func files(in folder: String) throws(TrustStoreError) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw .unreadableFolder(folder)
        }
        return names.filter { !$0.hasPrefix(".") }.sorted().map { "\(folder)/\($0)" }
    }

    fileprivate static func read(_ path: String, atMost limit: Int) throws(TrustStoreError) -> [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw .unreadableFile(path) }
        defer { try? handle.close() }
        guard let bytes = try? handle.read(upToCount: limit + 1), bytes.count <= limit else {
            throw .unreadableFile(path)
        }
        return Array(bytes)
    }
}

extension CRLStore {
    /// Reads the CRLs in `folder`: files in DER or PEM, each of an authority of `trust`; hidden ones are passed over.
    package static func load(folder: String, trust: TrustStore) throws(TrustStoreError) -> CRLStore {
        var store = CRLStore()
        for path in try TrustStore.files(in: folder) {
            // PEM is a third longer than DER.
            let bytes = try TrustStore.read(path, atMost: CertificateRevocationList.byteLimit / 2 * 3)
            do {
                for list in try CertificateRevocationList.read(file: bytes) {
                    store = try store.adding(list, issuers: trust.anchors + trust.intermediates)
                }
            } catch {
                throw .unusableCRL(path, error)
            }
        }
        return store
    }
}

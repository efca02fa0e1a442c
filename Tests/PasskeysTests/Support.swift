import Foundation

/// A file of the vectors' folder `webauthn`; nil, said in a line, where there is no such folder.
func vectorFile(_ name: String, for test: String) throws -> Data? {
    guard let root = ProcessInfo.processInfo.environment["SHIRUSHI_VECTORS"] else {
        print("left out, SHIRUSHI_VECTORS is not set: \(test)")
        return nil
    }
    return try Data(contentsOf: URL(filePath: root).appending(path: "webauthn/\(name)"))
}

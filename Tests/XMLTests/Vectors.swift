import Foundation

/// The folder of test vectors that this project doesn't own, or nil with one visible line.
func vectors(_ folder: String) -> URL? {
    guard let root = ProcessInfo.processInfo.environment["SHIRUSHI_VECTORS"] else {
        print("skipped: SHIRUSHI_VECTORS is not set, so \(folder) was not tested")
        return nil
    }
    return URL(filePath: root).appending(path: folder)
}

/// The bytes of a file.
func bytes(of file: URL) throws -> [UInt8] {
    Array(try Data(contentsOf: file))
}

/// The files directly in a folder, by name.
func files(in folder: URL) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        .filter { !$0.hasDirectoryPath }
        .sorted { $0.path() < $1.path() }
}

/// Numbers from a seed, the same in every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

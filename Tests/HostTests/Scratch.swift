import Foundation
import Host

/// A folder that goes with its owner.
final class Scratch: Sendable {
    let folder: String

    init() throws {
        folder = "/tmp/shirushi-\(UUID())"
        try Files.makeFolder(folder)
    }

    func callAsFunction(_ name: String) -> String { folder + "/" + name }

    deinit { try? FileManager.default.removeItem(atPath: folder) }
}

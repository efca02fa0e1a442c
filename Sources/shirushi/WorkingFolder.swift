import Foundation

/// The folder in which the command was called.
enum WorkingFolder {
    static var path: String { FileManager.default.currentDirectoryPath }
}

package import Host

/// Writes files below a folder, making the folders between.
package struct TreeWriter: Sendable {
    private let folder: String

    /// A writer below a folder, which it makes.
    package init(_ folder: String) { self.folder = folder }

    /// Writes a file that is not there yet; throws what the disk says.
    package func write(_ file: TileExport.File) throws(HostError) {
        var path = folder
        try Files.makeFolder(path)
        for part in file.path.split(separator: "/").dropLast() {
            path += "/\(part)"
            try Files.makeFolder(path)
        }
        try Files.write(file.bytes, to: "\(folder)/\(file.path)", replacing: false)
    }
}

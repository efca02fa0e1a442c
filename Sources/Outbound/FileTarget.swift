internal import Foundation

/// Reads what a `file:` URL names, for key sets and CRLs that an operator lays down by hand.
enum FileTarget {
    /// The content of a regular file below one of `folders`, on a way without symbolic links; throws `OutboundError`.
    static func read(_ path: String, below folders: [String], limit: Int) throws(OutboundError) -> [UInt8] {
        // No escapes: what stands in the URL is the path, byte for byte.
        guard !path.contains("%"), !path.contains("?") else { throw .badURL("a file's path with % or ?") }
        let parts = path.split(separator: "/")
        guard !parts.contains(".."), !parts.contains(".") else { throw .refusedAddress("a path with dots") }
        let fitting = folders.map { $0.split(separator: "/") }.first { folder in
            !folder.isEmpty && parts.count > folder.count && parts.starts(with: folder)
        }
        guard let folder = fitting else { throw .refusedAddress("a file outside the folders allowed") }
        // Links in the way to the folder are the operator's; below it they would lead out.
        for count in folder.count + 1...parts.count {
            let name = "/" + parts.prefix(count).joined(separator: "/")
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: name),
                let type = attributes[.type] as? FileAttributeType
            else { throw .unreachable("no such file") }
            guard type == (count == parts.count ? .typeRegular : .typeDirectory) else {
                throw .refusedAddress("a link, a folder or a device where a file is meant")
            }
        }
        guard let handle = FileHandle(forReadingAtPath: "/" + parts.joined(separator: "/")) else {
            throw .unreachable("the file cannot be read")
        }
        defer { try? handle.close() }
        var content = Data()
        do {
            while content.count <= limit, let more = try handle.read(upToCount: 65_536), !more.isEmpty {
                content += more
            }
        } catch {
            throw .unreachable("the file cannot be read")
        }
        guard content.count <= limit else { throw .tooLarge(limit: limit) }
        return Array(content)
    }
}

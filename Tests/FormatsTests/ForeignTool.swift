import Foundation

/// A folder of files that goes with the test, in which foreign tools judge what was made here.
func withFolder<Value>(_ files: [String: [UInt8]], _ body: (URL) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("formats-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, bytes) in files { try Data(bytes).write(to: folder.appendingPathComponent(name)) }
    return try body(folder)
}

/// Runs a tool in `folder`; gives its exit status and what it printed.
func run(_ tool: String, _ arguments: [String], in folder: URL) throws -> (status: Int32, output: [UInt8], text: String)
{
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.currentDirectoryURL = folder
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let bytes = Array(output.fileHandleForReading.readDataToEndOfFile())
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, bytes, text)
}

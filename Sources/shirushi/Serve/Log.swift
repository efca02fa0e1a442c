import Foundation
import HPKI
import Host
import Logging

/// Structured logs: one JSON object a line on standard error, with nothing that names a person.
enum Log {
    static func make(_ process: String, kind: Configuration.Kind) -> Logger {
        var logger = Logger(label: process) { label in JSONLines(process: label) }
        logger[metadataKey: "instance"] = "\(kind.rawValue)"
        return logger
    }
}

private struct JSONLines: LogHandler {
    let process: String
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = [
            "time": WallClock.live.now().rfc3339 ?? "", "level": event.level.rawValue, "process": process,
            "message": event.message.description,
        ]
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { _, new in new }) {
            fields[key] = "\(value)"
        }
        guard let line = try? JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys]) else { return }
        FileHandle.standardError.write(line + Data("\n".utf8))
    }
}

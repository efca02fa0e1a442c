import Glibc
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

/// Written by hand, since every request writes a line and Foundation's JSON costs more than the rest of the request's
/// bookkeeping.
private struct JSONLines: LogHandler {
    let process: String
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line: [UInt8] = []
        line.reserveCapacity(512)
        line += "{\"time\":".utf8
        append(WallClock.live.now().rfc3339 ?? "", to: &line)
        for (name, value) in [
            ("level", event.level.rawValue), ("process", process), ("message", event.message.description),
        ] {
            append(name, value, to: &line)
        }
        for (name, value) in metadata where event.metadata?[name] == nil { append(name, "\(value)", to: &line) }
        for (name, value) in event.metadata ?? [:] { append(name, "\(value)", to: &line) }
        line += "}\n".utf8
        // One write a line, so that the lines of the processes that share this descriptor do not mix.
        _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private func append(_ name: String, _ value: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: ","))
        append(name, to: &line)
        line.append(UInt8(ascii: ":"))
        append(value, to: &line)
    }

    /// A JSON string (RFC 8259 §7).
    private func append(_ text: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                line.append(UInt8(ascii: "\\"))
                line.append(byte)
            case 0..<0x20:
                line += "\\u00\(Hex.encode([byte]))".utf8
            default:
                line.append(byte)
            }
        }
        line.append(UInt8(ascii: "\""))
    }
}

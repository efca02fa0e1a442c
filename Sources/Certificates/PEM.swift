import HPKI

/// Textual encodings of certificates, CRLs and keys (RFC 7468).
package enum PEM {
    package static let certificateLabel = "CERTIFICATE"
    package static let crlLabel = "X509 CRL"

    /// One block in lines of 64 characters, ended by a line feed.
    package static func encode(_ der: [UInt8], label: String) -> String {
        var lines = ["-----BEGIN \(label)-----"]
        let text = Array(Base64.encode(der).utf8)
        for start in stride(from: 0, to: text.count, by: 64) {
            lines.append(String(decoding: text[start..<min(start + 64, text.count)], as: UTF8.self))
        }
        lines.append("-----END \(label)-----")
        return lines.joined(separator: "\n") + "\n"
    }

    /// The contents of every block with this label, in order; nil when a block is broken or does not end.
    package static func decode(_ file: [UInt8], label: String) -> [[UInt8]]? {
        let begin = Array("-----BEGIN \(label)-----".utf8)
        let end = Array("-----END \(label)-----".utf8)
        var blocks: [[UInt8]] = []
        var body: [UInt8]?
        for line in file.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            let isEnd = line.starts(with: end)
            switch body {
            case nil where line.starts(with: begin): body = []
            case nil: continue
            case .some(let base64) where isEnd:
                guard let block = Base64.decodeIgnoringWhiteSpace(base64) else { return nil }
                blocks.append(block)
                body = nil
            case .some: body?.append(contentsOf: line)
            }
        }
        return body == nil ? blocks : nil
    }
}

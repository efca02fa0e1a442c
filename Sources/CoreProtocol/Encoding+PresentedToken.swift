import HPKI

extension PresentedToken {
    private static let textLimit = 16_384

    func write(to writer: inout WireWriter) {
        writer.text(text)
        writer.optional(possession) { writer, possession in
            writer.flag(possession.isDPoP)
            writer.optional(possession.proof) { $0.text($1) }
            writer.text(possession.method)
            writer.text(possession.url)
            writer.optional(possession.certificate) { $0.digest($1) }
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        let text = try reader.text(atMost: Self.textLimit)
        let possession: Possession? = try reader.optional { (reader) throws(WireError) in
            Possession(
                isDPoP: try reader.flag(),
                proof: try reader.optional { (reader) throws(WireError) in try reader.text(atMost: Self.textLimit) },
                method: try reader.text(atMost: 32), url: try reader.text(atMost: 2048),
                certificate: try reader.optional { (reader) throws(WireError) in try reader.digest() })
        }
        self.init(text, possession: possession)
    }
}

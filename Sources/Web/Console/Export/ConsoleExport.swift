internal import CoreProtocol
internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The records of a search as a file.
struct ConsoleExport {
    /// How many records a file holds at most: each hundred is a question to core, and is itself recorded.
    static let limit = 5000

    enum Format: String, CaseIterable, Sendable {
        case csv
        case jsonLines = "jsonl"

        var type: String {
            switch self {
            case .csv: "text/csv; charset=utf-8; header=present"
            case .jsonLines: "application/jsonl; charset=utf-8"
            }
        }

        /// The button's text.
        var text: String { self == .csv ? "exportCSV" : "exportJSON" }
    }

    private static let columns = [
        "sequence", "time", "kind", "outcome", "form", "holder", "key", "client", "facility", "failure", "rule",
        "signature", "request", "note", "party", "counterpart", "erased",
    ]

    let format: Format
    let rows: [RecordRow]

    /// The file as a response.
    var response: Response {
        var headers: HTTPFields = [
            .contentType: format.type,
            .contentDisposition: "attachment; filename=\"shirushi-records.\(format.rawValue)\"",
        ]
        headers.append(contentsOf: PageFence.fields())
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }

    var bytes: ByteBuffer {
        switch format {
        case .csv:
            var csv = CSVWriter(header: Self.columns)
            for row in rows { csv.row(Self.values(row).map { $0 ?? "" }) }
            return csv.buffer
        case .jsonLines:
            var all = ByteBufferAllocator().buffer(capacity: rows.count * 400)
            for row in rows {
                var line = Self.json(row)
                all.writeBuffer(&line)
                all.writeStaticString("\n")
            }
            return all
        }
    }

    /// In the order of `columns`; times in UTC, values as the log has them.
    private static func values(_ row: RecordRow) -> [String?] {
        [
            String(row.sequence), JapanTime.utc(row.time), row.kind.name, row.outcome?.name, row.form?.rawValue,
            row.holder?.description, row.credential?.description, row.client?.description, row.facility,
            row.failure?.rawValue, row.rule, row.signature?.description, row.request, row.note, row.party,
            row.counterpart.map(String.init), row.isErased ? "true" : "false",
        ]
    }

    private static func json(_ row: RecordRow) -> ByteBuffer {
        var json = JSONWriter(capacity: 512)
        json.integer("sequence", row.sequence)
        json.plain("time", JapanTime.utc(row.time))
        json.plain("kind", row.kind.name)
        let texts: [(StaticString, String?)] = [
            ("outcome", row.outcome?.name), ("form", row.form?.rawValue), ("holder", row.holder?.description),
            ("key", row.credential?.description), ("client", row.client?.description), ("facility", row.facility),
            ("failure", row.failure?.rawValue), ("rule", row.rule), ("signature", row.signature?.description),
            ("request", row.request), ("note", row.note), ("party", row.party),
        ]
        for case (let name, let value?) in texts { json.string(name, value) }
        if let counterpart = row.counterpart { json.integer("counterpart", counterpart) }
        json.boolean("erased", row.isErased)
        return json.finish()
    }
}

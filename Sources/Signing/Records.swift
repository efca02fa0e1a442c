internal import HPKI

/// The CSV records of a prescription or dispensing result, checked as far as signing depends on them.
struct Records {
    let bytes: [UInt8]

    /// The first line must be `SJ1`.
    init(prescription bytes: [UInt8], limits: SigningLimits) throws(Failure) {
        try Self.check(bytes, limits)
        guard bytes.prefix(while: { $0 != 0x0A }).elementsEqual("SJ1".utf8) else {
            throw Failure(.invalidCSV, "The first line of a prescription's CSV must be SJ1.")
        }
        self.bytes = bytes
    }

    /// The first line must begin with `CJ1,`.
    init(dispensing bytes: [UInt8], limits: SigningLimits) throws(Failure) {
        try Self.check(bytes, limits)
        guard bytes.starts(with: "CJ1,".utf8) else {
            throw Failure(.invalidCSV, "The first line of a dispensing result's CSV must begin with CJ1 and a comma.")
        }
        self.bytes = bytes
    }

    private static func check(_ bytes: [UInt8], _ limits: SigningLimits) throws(Failure) {
        guard bytes.count <= limits.csvBytes else {
            throw Failure(.tooLarge, "The CSV is longer than \(limits.csvBytes) bytes.")
        }
        guard !bytes.isEmpty else { throw Failure(.invalidCSV, "The CSV is empty.") }
        guard !bytes.contains(0x0D) else {
            throw Failure(.invalidCSV, "The CSV's lines must end with LF alone; there is a CR.")
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Failure(.invalidCSV, "The CSV is not UTF-8.")
        }
        guard !bytes.contains(where: { ($0 < 0x20 && $0 != 0x0A && $0 != 0x09) || $0 == 0x7F }) else {
            throw Failure(.invalidCSV, "The CSV holds a control character.")
        }
    }

    /// The second fields of the records numbered 7: the prescription that a dispensing result is about.
    var prescriptionIDs: [ArraySlice<UInt8>] {
        bytes.split(separator: 0x0A).compactMap { line in
            let fields = line.split(separator: 0x2C, omittingEmptySubsequences: false)
            guard fields.count >= 2, fields[0].elementsEqual("7".utf8) else { return nil }
            return fields[1]
        }
    }
}

package import CoreProtocol
package import HPKI
internal import NIOCore

/// The words of `/ra/v1` for commands, which read and print the same JSON.
package enum RegistrationFile {
    /// One row of an import (`ImportRow` in the OpenAPI description).
    ///
    /// Throws `.malformedRequest` naming the field at fault.
    package static func row(_ line: [UInt8]) throws(Failure) -> ImportRow {
        try ImportRow(try RequestFields(line, known: ImportRow.fieldNames))
    }

    /// What the registry answered, as one line of JSON.
    package static func json(_ reply: RegistrationReply) -> String {
        var json = JSONWriter(capacity: 1024)
        json.registration(reply)
        return String(buffer: json.finish())
    }

    /// A row's outcome as the API has it: `waiting`, `done` or the last part of a problem's type.
    package static func outcome(_ facts: ImportRowFacts) -> String {
        Failure.Kind(rawValue: facts.outcome).map { FailureTable.row($0).slug } ?? facts.outcome
    }

    /// A reason by its name in RFC 5280 §5.3.1; nil for `removeFromCRL` and for what is none.
    package static func reason(_ name: String) -> RevocationReason? {
        RevocationReason.allCases.first { $0 != .removeFromCRL && $0.name == name }
    }
}

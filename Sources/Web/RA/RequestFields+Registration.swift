internal import CoreProtocol
internal import HPKI

extension RequestFields {
    func identifier<ID>(_ name: String, _ make: (String) -> ID?) throws(Failure) -> ID? {
        guard let text = try text(name) else { return nil }
        guard let id = make(text) else { throw Query.noIdentifier("The field \(path(name))") }
        return id
    }

    func requiredIdentifier<ID>(_ name: String, _ make: (String) -> ID?) throws(Failure) -> ID {
        guard let id = try identifier(name, make) else { throw missing(name) }
        return id
    }

    func keyType() throws(Failure) -> KeyType? {
        guard let text = try text("keyType") else { return nil }
        guard let type = KeyType(rawValue: text) else {
            let names = KeyType.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.malformedRequest, "The field \(path("keyType")) must be one of \(names).")
        }
        return type
    }

    /// A reason by its name in RFC 5280 §5.3.1; `removeFromCRL` is none that a key stops being used for.
    func reason() throws(Failure) -> RevocationReason? {
        guard let text = try text("reason") else { return nil }
        guard let reason = RegistrationFile.reason(text) else {
            let names = RevocationReason.allCases.map(\.name).filter { $0 != "removeFromCRL" }.joined(separator: ", ")
            throw Failure(.malformedRequest, "The field \(path("reason")) must be one of \(names).")
        }
        return reason
    }

    func instant(_ name: String) throws(Failure) -> Instant? {
        guard let text = try text(name) else { return nil }
        guard let instant = Instant(rfc3339: text) else {
            throw Failure(
                .malformedRequest,
                "The field \(path(name)) must be a date-time of RFC 3339, such as 2026-04-01T00:00:00+09:00."
            )
        }
        return instant
    }

    /// A required text of 1 to `limit` bytes without control characters.
    func word(_ name: String, atMost limit: Int) throws(Failure) -> String {
        let text = try requiredText(name)
        guard isWord(text, atMost: limit) else { throw noWord(name, limit) }
        return text
    }

    fileprivate func words(_ name: String, atMost count: Int, bytes limit: Int) throws(Failure) -> [String] {
        guard has(name) else { throw missing(name) }
        let texts = try texts(name, atMost: count, bytes: limit)
        guard texts.allSatisfy({ isWord($0, atMost: limit) }) else { throw noWord(name, limit) }
        return texts
    }

    private func isWord(_ text: String, atMost limit: Int) -> Bool {
        (1...limit).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    }

    private func noWord(_ name: String, _ limit: Int) -> Failure {
        Failure(
            .malformedRequest, "The field \(path(name)) must be 1 to \(limit) bytes of text without control characters."
        )
    }
}

extension HolderRecord {
    /// The fields of a holder beside the id.
    static let fieldNames = ["romajiName", "japaneseName", "roles", "registerNumbers"]

    /// Reads all fields of a holder: what is left out would be lost, so nothing may be.
    init(id: HolderID, _ fields: RequestFields) throws(Failure) {
        let numbers = try fields.objects(
            "registerNumbers", atMost: RegistrationLimits.rolesOrNumbers, known: ["register", "number"]
        )
        self.init(
            id: id, romajiName: try fields.word("romajiName", atMost: RegistrationLimits.nameBytes),
            japaneseName: try fields.word("japaneseName", atMost: RegistrationLimits.nameBytes),
            roles: try fields.words(
                "roles", atMost: RegistrationLimits.rolesOrNumbers, bytes: RegistrationLimits.wordBytes
            ).map { HCRole($0) },
            registerNumbers: try numbers.map { (number) throws(Failure) in
                RegisterNumber(
                    register: try number.word("register", atMost: RegistrationLimits.wordBytes),
                    number: try number.word("number", atMost: RegistrationLimits.wordBytes)
                )
            }
        )
    }
}

extension ImportRow {
    /// JSON values of the largest import: a row has up to 75.
    static let values = 80 * RegistrationLimits.importRows

    static let fieldNames = ["holder", "credential", "keyType", "replaces"]

    /// Reads the rows of an import.
    static func rows(_ fields: RequestFields) throws(Failure) -> [ImportRow] {
        let rows = try fields.objects(
            "rows", atMost: RegistrationLimits.importRows, known: ImportRow.fieldNames
        )
        guard !rows.isEmpty else { throw Failure(.malformedRequest, "The field rows is empty.") }
        return try rows.map { (row) throws(Failure) in try ImportRow(row) }
    }

    /// One row; what it orders is for its own holder.
    init(_ row: RequestFields) throws(Failure) {
        let holder = try row.object("holder", known: ["id"] + HolderRecord.fieldNames)
        let record = try HolderRecord(id: try holder.requiredIdentifier("id", HolderID.init), holder)
        let credential = try row.identifier("credential", CredentialID.init)
        let keyType = try row.keyType()
        let replaces = try row.identifier("replaces", CredentialID.init)
        guard credential != nil || (keyType == nil && replaces == nil) else { throw row.missing("credential") }
        self.init(
            holder: record,
            order: credential.map {
                KeyOrder(credential: $0, holder: record.id, keyType: keyType, replaces: replaces)
            }
        )
    }
}

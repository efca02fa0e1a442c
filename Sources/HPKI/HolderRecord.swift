/// What an authority says of a holder; names stay in the registry and reach no log.
package struct HolderRecord: Sendable, Hashable {
    /// The 本人ID.
    package let id: HolderID
    /// In Latin letters, at most 200 bytes.
    package let romajiName: String
    /// In Japanese, at most 200 bytes.
    package let japaneseName: String
    /// At most 16, each at most 64 bytes.
    package let roles: [HCRole]
    /// Register numbers by the name of the register, such as `医籍`; at most 16, each name and number at most 64 bytes.
    package let registerNumbers: [RegisterNumber]

    /// A number in a register of a profession.
    package struct RegisterNumber: Sendable, Hashable {
        package let register: String
        package let number: String

        /// A number with its register.
        package init(register: String, number: String) {
            self.register = register
            self.number = number
        }
    }

    /// A record with all its parts.
    package init(
        id: HolderID, romajiName: String, japaneseName: String, roles: [HCRole], registerNumbers: [RegisterNumber]
    ) {
        self.id = id
        self.romajiName = romajiName
        self.japaneseName = japaneseName
        self.roles = roles
        self.registerNumbers = registerNumbers
    }
}

extension HolderRecord {
    /// The record in the notation of `WireWriter`.
    package var bytes: [UInt8] {
        var writer = WireWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Reads what `bytes` gave; throws `WireError` for anything else.
    package init(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        try self.init(from: &reader)
        try reader.end()
    }

    /// Writes the record behind what was written before.
    package func write(to writer: inout WireWriter) {
        writer.text(id.description)
        writer.text(romajiName)
        writer.text(japaneseName)
        writer.list(roles) { $0.text($1.description) }
        writer.list(registerNumbers) {
            $0.text($1.register)
            $0.text($1.number)
        }
    }

    /// Reads a record; throws `WireError` for what is over its bounds.
    package init(from reader: inout WireReader) throws(WireError) {
        guard let id = HolderID(try reader.text(atMost: 64)) else { throw .invalidValue }
        self.init(
            id: id, romajiName: try reader.text(atMost: 200), japaneseName: try reader.text(atMost: 200),
            roles: try reader.list(atMost: 16) { (reader) throws(WireError) in HCRole(try reader.text(atMost: 64)) },
            registerNumbers: try reader.list(atMost: 16) { (reader) throws(WireError) in
                RegisterNumber(register: try reader.text(atMost: 64), number: try reader.text(atMost: 64))
            }
        )
    }
}

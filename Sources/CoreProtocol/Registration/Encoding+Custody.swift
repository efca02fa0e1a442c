import HPKI

// What operators ask of custody, and the answers.
extension AdminRequest {
    func writeOfCustody(to writer: inout WireWriter) {
        switch self {
        case .auditKeys: writer.uint8(1)
        case .addEpoch(let epoch, let keyID, let checkValue):
            writer.uint8(2)
            writer.integer(epoch)
            writer.data(keyID)
            writer.data(checkValue)
        case .retireEpoch(let epoch):
            writer.uint8(3)
            writer.integer(epoch)
        case .rotation: writer.uint8(4)
        case .noteBackup(let id, let expiresAt):
            writer.uint8(5)
            writer.text(id)
            writer.integer(expiresAt.milliseconds)
        case .addCheckpointKey: writer.uint8(6)
        case .retireCheckpointKey(let id):
            writer.uint8(7)
            writer.text(id)
        case .erase(let order):
            writer.uint8(8)
            order.write(to: &writer)
        case .linkCard(let holder, let certificate):
            writer.uint8(9)
            writer.text(holder.description)
            writer.data(certificate)
        case .unlinkCard(let holder):
            writer.uint8(10)
            writer.text(holder.description)
        }
    }

    init(ofCustody reader: inout WireReader) throws(WireError) {
        switch try reader.uint8() {
        case 1: self = .auditKeys
        case 2:
            let epoch: Int64 = try reader.integer()
            let keyID = try reader.data(atMost: 255)
            self = .addEpoch(epoch, keyID: keyID, checkValue: try reader.data(atMost: 64))
        case 3: self = .retireEpoch(try reader.integer())
        case 4: self = .rotation
        case 5:
            let id = try reader.text(atMost: 128)
            self = .noteBackup(id, expiresAt: Instant(milliseconds: try reader.integer()))
        case 6: self = .addCheckpointKey
        case 7: self = .retireCheckpointKey(try reader.text(atMost: 16))
        case 8: self = .erase(try ErasureOrder(from: &reader))
        case 9:
            guard let holder = HolderID(try reader.text(atMost: 64)) else { throw .invalidValue }
            self = .linkCard(holder, certificate: try reader.data(atMost: PlatformLimits.certificate))
        case 10:
            guard let holder = HolderID(try reader.text(atMost: 64)) else { throw .invalidValue }
            self = .unlinkCard(holder)
        default: throw .invalidValue
        }
    }
}

extension KeysReport {
    /// A report beyond the frame names fewer objects; faults come first and are kept.
    func write(to writer: inout WireWriter) {
        writer.list(Array(faults.prefix(1000))) { $0.text(String($1.prefix(300))) }
        writer.list(Array(objects.prefix(1500))) { $0.text(String($1.prefix(300))) }
        writer.integer(keys)
        writer.integer(records)
        writer.integer(erased)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let faults = try reader.list(atMost: 1000) { (reader) throws(WireError) in try reader.text(atMost: 1200) }
        let objects = try reader.list(atMost: 1500) { (reader) throws(WireError) in try reader.text(atMost: 1200) }
        self.init(
            objects: objects, faults: faults, keys: try reader.integer(), records: try reader.integer(),
            erased: try reader.integer())
    }
}

extension RotationFacts {
    func write(to writer: inout WireWriter) {
        writer.integer(epoch)
        writer.list(retiring) { $0.integer($1) }
        writer.integer(remaining)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let epoch: Int64 = try reader.integer()
        let retiring = try reader.list(atMost: 1000) { (reader) throws(WireError) in try reader.integer(Int64.self) }
        self.init(epoch: epoch, retiring: retiring, remaining: try reader.integer())
    }
}

internal import Glibc
internal import HPKI
internal import Synchronization

/// A small value on the disk that a torn write never loses.
///
/// Two slots take turns, each with a sequence number and a checksum; opening takes the whole slot with the higher
/// number.
///
/// INVARIANT: the slot that `store` writes never holds the last stored value; owned by `state`.
package final class DurableHead: Sendable {
    /// The bound of a value, in bytes.
    package static let valueLimit = 512

    /// Whether a slot was damaged when the file was opened.
    ///
    /// A crash during `store`, which then never returned, does that, or the disk. The two look alike, so the owner
    /// compares the value with what else it has.
    package let foundDamagedSlot: Bool

    private struct State {
        var sequence: UInt64
        var value: [UInt8]
        var mustReopen = false
    }

    private let path: String
    private let file: Descriptor
    private let synchronise: @Sendable (Int32) -> Int32
    private let state: Mutex<State>

    /// Makes the file with its first value; blocks; throws `.exists`, `.valueTooLong` or `.system`.
    package static func create(at path: String, value: [UInt8]) throws(HostError) -> DurableHead {
        guard value.count <= valueLimit else { throw .valueTooLong(limit: valueLimit) }
        let first = HeadSlot(sequence: 1, value: value).bytes
        // Both slots hold the value, so that from the start one of them may be torn.
        let second = HeadSlot(sequence: 0, value: value).bytes
        try Files.write(second + first, to: path, replacing: false)
        return try open(at: path)
    }

    /// Opens the file and takes its last whole value; blocks; throws `.missing`, `.damaged`, `.exposed` or `.system`.
    ///
    /// `synchronise` stands for `fdatasync`; tests give one that fails.
    package static func open(
        at path: String, synchronise: @escaping @Sendable (Int32) -> Int32 = { fdatasync($0) }
    ) throws(HostError) -> DurableHead {
        let file = try Files.open(path, O_RDWR)
        let status = try Files.status(of: file, path)
        guard status.st_mode & S_IFMT == S_IFREG, Files.isOwn(status) else { throw .notRegularFile(path: path) }
        guard status.st_mode & 0o077 == 0 else { throw .exposed(path: path, mode: Files.octal(status.st_mode)) }
        // Before anything builds on what is read, it must be on the disk and not only in the kernel's memory.
        try checked("fdatasync", path) { synchronise(file.number) }
        let bytes = try Files.read(path, atMost: 2 * HeadSlot.size)
        let slots = [0, HeadSlot.size].map { start in
            HeadSlot(bytes: bytes.dropFirst(start).prefix(HeadSlot.size))
        }
        guard let last = slots.compactMap(\.self).max(by: { $0.sequence < $1.sequence }) else {
            throw .damaged(path: path)
        }
        return DurableHead(path, file, last, foundDamagedSlot: slots.contains { $0 == nil }, synchronise)
    }

    private init(
        _ path: String, _ file: Descriptor, _ slot: HeadSlot, foundDamagedSlot: Bool,
        _ synchronise: @escaping @Sendable (Int32) -> Int32
    ) {
        self.path = path
        self.file = file
        self.foundDamagedSlot = foundDamagedSlot
        self.synchronise = synchronise
        state = Mutex(State(sequence: slot.sequence, value: slot.value))
    }

    /// The value stored last, or found at opening.
    package var value: [UInt8] { state.withLock { $0.value } }

    /// Stores a value: when this returns, it is on the disk.
    ///
    /// Blocks; throws `.valueTooLong`, and `.system` when the disk said no: then either value may be there, and all later
    /// calls throw `.mustReopen`.
    package func store(_ value: [UInt8]) throws(HostError) {
        guard value.count <= Self.valueLimit else { throw .valueTooLong(limit: Self.valueLimit) }
        try state.withLock { (state) throws(HostError) in
            guard !state.mustReopen else { throw .mustReopen(path: path) }
            let slot = HeadSlot(sequence: state.sequence &+ 1, value: value)
            // A kernel may drop a page it could not write and call the next sync good: no second try.
            state.mustReopen = true
            try write(slot.bytes, at: slot.sequence % 2 == 0 ? 0 : HeadSlot.size)
            let result = synchronise(file.number)
            guard result == 0 else { throw .failed("fdatasync", path, -errno) }
            state = State(sequence: slot.sequence, value: value)
        }
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws(HostError) {
        let count = try checked("pwrite", path) { unsafe pwrite(file.number, bytes, bytes.count, offset) }
        guard count == bytes.count else { throw .failed("pwrite", path, -ENOSPC) }
    }
}

/// One slot: magic, sequence, length, value, CRC-32 over all before it, zeros; big-endian.
private struct HeadSlot {
    /// A block of the disk each, so that tearing one leaves the other.
    static let size = 4096
    private static let magic = Array("SHRHEAD1".utf8)

    let sequence: UInt64
    let value: [UInt8]

    init(sequence: UInt64, value: [UInt8]) {
        self.sequence = sequence
        self.value = value
    }

    init?(bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        var reader = WireReader(bytes)
        guard bytes.count == Self.size,
            let magic = try? reader.raw(Self.magic.count), magic == Self.magic,
            let sequence = try? reader.integer(UInt64.self),
            let value = try? reader.data(atMost: DurableHead.valueLimit),
            let checksum = try? reader.integer(UInt32.self),
            checksum == CRC32.checksum(of: bytes.prefix(Self.magic.count + 12 + value.count))
        else { return nil }
        self.init(sequence: sequence, value: value)
    }

    var bytes: [UInt8] {
        var writer = WireWriter(capacity: Self.size)
        writer.raw(Self.magic)
        writer.integer(sequence)
        writer.data(value)
        writer.integer(CRC32.checksum(of: writer.bytes))
        return writer.bytes + [UInt8](repeating: 0, count: Self.size - writer.bytes.count)
    }
}

/// The checksum of ISO 3309, against torn writes and not against people.
private enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    static func checksum(of bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }
}

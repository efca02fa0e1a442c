package import HPKI

/// Which details of the log are to be erased, a bounded part of it at a time.
package struct ErasureOrder: Sendable, Hashable {
    /// Which records.
    package enum Scope: Sendable, Hashable {
        /// Those whose retention has passed.
        case expired
        /// One record; of a use, intent and outcome.
        case record(UInt64)
        /// Everything that names one holder.
        case holder(HolderID)
    }

    package var scope: Scope
    /// A code for why; without one nothing is erased that is still to be kept.
    package var ground: String?
    /// Only records before this one are erased, since an archive has them; nil for any.
    package var archived: UInt64?
    /// The record from which on to look.
    package var from: UInt64 = 0
    /// Counts and changes nothing.
    package var isDryRun: Bool

    /// An order from the log's beginning on.
    package init(scope: Scope, ground: String?, archived: UInt64?, isDryRun: Bool) {
        self.scope = scope
        self.ground = ground
        self.archived = archived
        self.isDryRun = isDryRun
    }

    func write(to writer: inout WireWriter) {
        switch scope {
        case .expired: writer.uint8(1)
        case .record(let sequence):
            writer.uint8(2)
            writer.integer(sequence)
        case .holder(let holder):
            writer.uint8(3)
            writer.text(holder.description)
        }
        writer.optional(ground) { $0.text($1) }
        writer.optional(archived) { $0.integer($1) }
        writer.integer(from)
        writer.flag(isDryRun)
    }

    init(from reader: inout WireReader) throws(WireError) {
        switch try reader.uint8() {
        case 1: scope = .expired
        case 2: scope = .record(try reader.integer())
        case 3:
            guard let holder = HolderID(try reader.text(atMost: 64)) else { throw .invalidValue }
            scope = .holder(holder)
        default: throw .invalidValue
        }
        ground = try reader.optional { (reader) throws(WireError) in try reader.text(atMost: 64) }
        archived = try reader.optional { (reader) throws(WireError) in try reader.integer() }
        from = try reader.integer()
        isDryRun = try reader.flag()
    }
}

/// What one part of an erasure did, or would do.
package struct ErasureFacts: Sendable, Hashable {
    /// Details by the word of their class.
    package struct Count: Sendable, Hashable {
        package let name: String
        package let count: UInt64

        /// So many of a class.
        package init(name: String, count: UInt64) {
            self.name = name
            self.count = count
        }
    }

    /// The record from which on the next part looks; nil behind the last.
    package var next: UInt64?
    /// How many records the log has.
    package var size: UInt64
    package var counts: [Count]
    /// Uses that are under way.
    package var open: UInt64
    /// Uses that a repeated request is still answered from.
    package var repeatable: UInt64
    /// Records that no archive was said to have.
    package var unarchived: UInt64
    /// Whether nothing of what was erased is left in the write-ahead log.
    package var isJournalEmpty: Bool

    /// Facts of a part.
    package init(
        next: UInt64?, size: UInt64, counts: [Count] = [], open: UInt64 = 0, repeatable: UInt64 = 0,
        unarchived: UInt64 = 0, isJournalEmpty: Bool = true
    ) {
        self.next = next
        self.size = size
        self.counts = counts
        self.open = open
        self.repeatable = repeatable
        self.unarchived = unarchived
        self.isJournalEmpty = isJournalEmpty
    }

    /// Takes in the facts of the part behind this one.
    package mutating func add(_ part: ErasureFacts) {
        next = part.next
        size = part.size
        for one in part.counts {
            let index = counts.firstIndex { $0.name == one.name }
            guard let index else {
                counts.append(one)
                continue
            }
            counts[index] = Count(name: one.name, count: counts[index].count + one.count)
        }
        open += part.open
        repeatable += part.repeatable
        unarchived += part.unarchived
        isJournalEmpty = part.isJournalEmpty
    }

    func write(to writer: inout WireWriter) {
        writer.optional(next) { $0.integer($1) }
        writer.integer(size)
        writer.list(counts) {
            $0.text($1.name)
            $0.integer($1.count)
        }
        for number in [open, repeatable, unarchived] { writer.integer(number) }
        writer.flag(isJournalEmpty)
    }

    init(from reader: inout WireReader) throws(WireError) {
        next = try reader.optional { (reader) throws(WireError) in try reader.integer() }
        size = try reader.integer()
        counts = try reader.list(atMost: 16) { (reader) throws(WireError) in
            let name = try reader.text(atMost: 32)
            return Count(name: name, count: try reader.integer())
        }
        open = try reader.integer()
        repeatable = try reader.integer()
        unarchived = try reader.integer()
        isJournalEmpty = try reader.flag()
    }
}

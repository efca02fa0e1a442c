/// What an audit of the keys found.
package struct KeysReport: Sendable, Hashable {
    /// A line for each private and secret object of the token, with the attributes that matter.
    package let objects: [String]
    /// A sentence for each thing that should not be; empty when all is as the registry and the log say.
    package let faults: [String]
    /// Wrapped keys whose seals were checked.
    package let keys: UInt64
    /// Records of the log that were compared with the registry.
    package let records: UInt64
    /// Rows of the registry that could not be compared, since what the log told of them was erased.
    package let erased: UInt64

    /// A report.
    package init(objects: [String], faults: [String], keys: UInt64, records: UInt64, erased: UInt64) {
        self.objects = objects
        self.faults = faults
        self.keys = keys
        self.records = records
        self.erased = erased
    }
}

/// How far the move to the current wrapping key is.
package struct RotationFacts: Sendable, Hashable {
    /// The current epoch; 0 where there is none.
    package let epoch: Int64
    package let retiring: [Int64]
    /// Keys under other epochs than the current one.
    package let remaining: Int64

    /// Facts of a rotation.
    package init(epoch: Int64, retiring: [Int64], remaining: Int64) {
        self.epoch = epoch
        self.retiring = retiring
        self.remaining = remaining
    }
}

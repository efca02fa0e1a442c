/// One epoch of the wrapping key, as the protocols tell it.
package struct EpochRecord: Sendable, Hashable {
    package let epoch: Int
    package let kind: WrappingKeyKind
    /// `CKA_ID` of the wrapping key.
    package let keyID: [UInt8]
    package let checkValue: [UInt8]?
    /// Whether the officers destroyed it.
    package var isRetired: Bool

    /// The epochs that these protocols made, in order.
    package static func all(in protocols: [CeremonyProtocol]) -> [EpochRecord] {
        var epochs: [Int: EpochRecord] = [:]
        for key in protocols.flatMap(\.record.keys) where key.role == .wrapping {
            switch key.act {
            case .made:
                epochs[key.epoch] = EpochRecord(
                    epoch: key.epoch, kind: key.kind, keyID: key.id.bytes, checkValue: key.checkValue?.bytes,
                    isRetired: false
                )
            case .destroyed:
                epochs[key.epoch]?.isRetired = true
            }
        }
        return epochs.values.sorted { $0.epoch < $1.epoch }
    }
}

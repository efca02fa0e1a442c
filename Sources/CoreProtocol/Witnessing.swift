internal import HPKI

/// What front, which alone speaks with witnesses, asks of core and tells it of them.
///
/// A witness is named by its key's text, as the configuration has it.
package enum WitnessMessage: Sendable, Hashable {
    /// What is there to submit: of the tree of `size` leaves, or of the newest; from `oldSize` on, or from what core
    /// knows that the witness has seen.
    case submission(witness: String, oldSize: UInt64?, size: UInt64?)
    /// It cosigned the tree of `size` leaves: the signature's bytes behind the key's id, not checked yet.
    case cosigned(witness: String, size: UInt64, signature: [UInt8])
    /// It has cosigned something else than this log says: a tree of `size` leaves, with its signed checkpoint where it
    /// gave one; `reason` is what is the matter if that checkpoint is part of this log after all.
    case contradicted(witness: String, size: UInt64, checkpoint: [UInt8], reason: WitnessFailure)
    /// It could not be asked, or refused.
    case failed(witness: String, reason: WitnessFailure)
}

/// Why a witness did not cosign.
package enum WitnessFailure: UInt8, Sendable, Hashable, CaseIterable {
    /// No answer within the time, no way to it, or an answer that is not of the protocol.
    case unreachable = 1
    /// 404: its operator has not told it of this log.
    case unknownLog = 2
    /// 403: it does not know the keys that sign this log's checkpoints.
    case unknownKey = 3
    /// 400, or another status.
    case refused = 4
    /// Its answer has no signature by its key that holds.
    case noSignature = 5
}

/// What front sends to a witness.
package struct WitnessSubmission: Sendable, Hashable {
    /// The size of the tree that is submitted.
    package let size: UInt64
    /// The size from which the proof leads on.
    package let oldSize: UInt64
    /// The request's body (C2SP tlog-witness, "add-checkpoint").
    package let body: [UInt8]

    /// A submission of its parts.
    package init(size: UInt64, oldSize: UInt64, body: [UInt8]) {
        self.size = size
        self.oldSize = oldSize
        self.body = body
    }
}

extension WitnessMessage {
    private static let longestKey = 512
    private static let longestCheckpoint = 1 << 16

    func write(to writer: inout WireWriter) {
        switch self {
        case .submission(let witness, let oldSize, let size):
            writer.uint8(1)
            writer.text(witness)
            writer.optional(oldSize) { $0.integer($1) }
            writer.optional(size) { $0.integer($1) }
        case .cosigned(let witness, let size, let signature):
            writer.uint8(2)
            writer.text(witness)
            writer.integer(size)
            writer.data(signature)
        case .contradicted(let witness, let size, let checkpoint, let reason):
            writer.uint8(3)
            writer.text(witness)
            writer.integer(size)
            writer.data(checkpoint)
            writer.uint8(reason.rawValue)
        case .failed(let witness, let reason):
            writer.uint8(4)
            writer.text(witness)
            writer.uint8(reason.rawValue)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        let tag = try reader.uint8()
        let witness = try reader.text(atMost: Self.longestKey)
        switch tag {
        case 1:
            self = .submission(
                witness: witness,
                oldSize: try reader.optional { (reader) throws(WireError) in try reader.integer() },
                size: try reader.optional { (reader) throws(WireError) in try reader.integer() })
        case 2:
            self = .cosigned(witness: witness, size: try reader.integer(), signature: try reader.data(atMost: 256))
        case 3:
            self = .contradicted(
                witness: witness, size: try reader.integer(),
                checkpoint: try reader.data(atMost: Self.longestCheckpoint), reason: try Self.reason(&reader))
        case 4: self = .failed(witness: witness, reason: try Self.reason(&reader))
        default: throw .invalidValue
        }
    }
}

extension WitnessMessage {
    private static func reason(_ reader: inout WireReader) throws(WireError) -> WitnessFailure {
        guard let reason = WitnessFailure(rawValue: try reader.uint8()) else { throw .invalidValue }
        return reason
    }
}

extension WitnessSubmission {
    func write(to writer: inout WireWriter) {
        writer.integer(size)
        writer.integer(oldSize)
        writer.data(body)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(size: try reader.integer(), oldSize: try reader.integer(), body: try reader.data(atMost: 1 << 16))
    }
}

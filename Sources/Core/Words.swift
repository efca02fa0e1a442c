import Audit
import CoreProtocol
import HPKI
import Policies

// How the words of one module are said in another's.

extension AuditLog.Appended {
    func facts(origin: String, custody: String) -> ReceiptFacts {
        ReceiptFacts(
            origin: origin, sequence: sequence, leaf: leaf, treeSize: treeSize, rootHash: rootHash, custody: custody
        )
    }
}

extension Outcome {
    var state: SignatureFacts.State {
        switch self {
        case .signed: .signed
        case .failed: .failed
        case .unknown: .unknown
        }
    }
}

extension PrescriptionJudgement {
    var fact: PolicyFacts.Prescription {
        switch verdict {
        case .passed: .passed
        case .indeterminate: isAcknowledged ? .acknowledged : .indeterminate
        }
    }

    var recordText: String {
        switch verdict {
        case .passed: "passed"
        case .indeterminate:
            // What else a client acknowledges is its own text, which may hold anything, and has no place in the log.
            "indeterminate: \(reasons.joined(separator: " ")); acknowledged: "
                + reasons.filter(acknowledged.contains).joined(separator: " ")
        }
    }
}

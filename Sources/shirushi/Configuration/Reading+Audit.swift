import Audit
import YAML

// What the file says of the audit log.
extension Reading {
    mutating func retention(_ node: YAMLNode?) -> Retention {
        let audit = node?.mapping(allowed: ["retention"], faults: &faults)
        let map = audit?["retention"]?.mapping(allowed: RetentionClass.allCases.map(\.name), faults: &faults)
        var years: [RetentionClass: Int] = [:]
        for retentionClass in RetentionClass.allCases {
            years[retentionClass] = number(retentionClass.name, in: map, or: Retention.usualYears, 0...100)
        }
        return Retention(years: years)
    }
}

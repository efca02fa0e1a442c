import HPKI
import Host
import Validation
import YAML

extension ValidationPolicy {
    /// The policy of a file, or the one that ships; folders that it names are completed, being relative to the file.
    static func load(_ path: String?) throws(CommandError) -> ValidationPolicy {
        var policy: ValidationPolicy
        do {
            policy = try ValidationPolicy(
                reading: try path.map { try Files.read($0, atMost: YAMLNode.byteLimit) } ?? shippedFile)
        } catch {
            throw CommandError("the validation policy cannot be used: \(error)", code: 64)
        }
        let base = Paths.absolute((path ?? ".") + "/..")
        policy.signerTrust = policy.signerTrust.map { $0.hasPrefix("/") ? $0 : Paths.absolute(base + "/" + $0) }
        policy.timeStampTrust = policy.timeStampTrust.map { $0.hasPrefix("/") ? $0 : Paths.absolute(base + "/" + $0) }
        return policy
    }
}

internal import HPKI

/// The claims of a token with strict types: a claim of another type is an error and never a missing claim.
struct Claims {
    private let value: JSONValue

    init(_ payload: [UInt8]) throws(JOSEError) {
        value = try JSONValue.read(payload)
        guard case .object = value else { throw .malformed("the claims are no JSON object") }
    }

    func text(_ name: String) throws(JOSEError) -> String? {
        guard let claim = value[name] else { return nil }
        guard let text = claim.text else { throw .claimMalformed(name) }
        return text
    }

    func texts(_ name: String) throws(JOSEError) -> [String]? {
        guard let claim = value[name] else { return nil }
        guard let texts = claim.texts else { throw .claimMalformed(name) }
        return texts
    }

    /// One string or an array of strings (RFC 7519 §4.1.3).
    func audience() throws(JOSEError) -> [String] {
        if let single = value["aud"]?.text { return [single] }
        return try texts("aud") ?? []
    }

    /// A NumericDate (RFC 7519 §2), rounded down to whole seconds; an exponent or a value beyond Int64 is refused.
    func instant(_ name: String) throws(JOSEError) -> Instant? {
        guard let claim = value[name] else { return nil }
        guard case .number(let digits) = claim else { throw .claimMalformed(name) }
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, let seconds = Int64(whole) else { throw .claimMalformed(name) }
        guard parts.count == 2 else { return Instant(seconds: seconds) }
        guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { throw .claimMalformed(name) }
        let below = digits.hasPrefix("-") && parts[1].utf8.contains { $0 != 0x30 }
        let (floor, overflow) = seconds.subtractingReportingOverflow(below ? 1 : 0)
        guard !overflow else { throw .claimMalformed(name) }
        return Instant(seconds: floor)
    }
}

internal import HPKI

/// The claims of a token with strict types: a claim of another type is an error and never a missing claim.
struct Claims {
    let value: JSONValue

    init(_ payload: [UInt8]) throws(JOSEError) {
        value = try JSONValue.read(payload)
        guard case .object = value else { throw .malformed("the claims are no JSON object") }
    }

    /// A text that must be there; throws `.claimMissing` or `.claimMalformed`.
    func required(_ name: String, _ byteCounts: ClosedRange<Int>) throws(JOSEError) -> String {
        guard let text = try text(name) else { throw .claimMissing(name) }
        guard byteCounts.contains(text.utf8.count) else { throw .claimMalformed(name) }
        return text
    }

    /// The key or certificate that a token is bound to (RFC 7800 §3.1); throws `.confirmationUnknown` where there is a
    /// binding and neither is its kind, lest the token pass for one that anybody may use.
    func confirmation() throws(JOSEError) -> (thumbprint: String?, certificate: String?) {
        guard let binding = value["cnf"] else { return (nil, nil) }
        guard case .object = binding else { throw .claimMalformed("cnf") }
        var found: [String?] = []
        for name in ["jkt", "x5t#S256"] {
            guard let member = binding[name] else {
                found.append(nil)
                continue
            }
            guard let text = member.text, Base64URL.decode(text)?.count == 32 else { throw .claimMalformed("cnf") }
            found.append(text)
        }
        guard found.contains(where: { $0 != nil }) else { throw .confirmationUnknown }
        return (found[0], found[1])
    }

    /// The names of a security event token's events (RFC 8417 §2.2), each of which must be an object.
    func events() throws(JOSEError) -> [String] {
        guard let claim = value["events"] else { return [] }
        guard let members = claim.members, members.allSatisfy({ $0.value.members != nil }) else {
            throw .claimMalformed("events")
        }
        return members.map(\.name)
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

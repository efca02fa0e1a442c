/// What a module did when it was asked, and which custody of holders' keys is safe on it.
package struct ProbeReport: Sendable {
    /// How holders' keys would be kept.
    package enum Custody: String, Sendable, Hashable {
        /// Each key is a token object that cannot be extracted.
        case resident
        /// Keys leave the token wrapped under its wrapping key and come back for one use.
        case wrapped
    }

    /// One thing that the module must be able to do.
    package struct Step: Sendable, Hashable {
        package let custody: Custody
        package let name: String
        /// Why it is not possible; nil where it is.
        package let obstacle: String?
    }

    /// One way to misuse a key with the user's PIN.
    package struct Attack: Sendable, Hashable {
        package let custody: Custody
        package let name: String
        package let result: Result
    }

    /// How an attack ended; each with the module's words.
    package enum Result: Sendable, Hashable {
        case refused(String)
        case succeeded(String)
        /// Not judged, which counts as a danger.
        case notTried(String)
    }

    /// A mechanism that matters here, and the key sizes that the module gives for it, in the module's units.
    package struct Mechanism: Sendable, Hashable {
        package let name: String
        package let smallestKey: UInt
        package let largestKey: UInt
    }

    /// A type of key: whether it can be made and what it signs.
    package struct KeyType: Sendable {
        /// Such as `rsa-2048` or `p-256`.
        package let name: String
        /// Why it cannot be made; nil where it can.
        package let obstacle: String?
        /// Whether the pair was a session object; if not, the module makes only token objects of it.
        package let isSessionObject: Bool
        /// Microseconds that making a pair took, the median.
        package let generateMicroseconds: Double?
        /// The public key as a SubjectPublicKeyInfo in DER, so that the signatures can be verified elsewhere.
        package let subjectPublicKeyInfo: [UInt8]
        package let signatures: [Signature]
    }

    /// A signature of the SHA-256 digest of no bytes.
    package struct Signature: Sendable {
        /// `PKCS#1 v1.5`, `PSS` or `ECDSA`.
        package let scheme: String
        /// The value, for ECDSA r ‖ s, or no bytes where `obstacle` says why.
        package let value: [UInt8]
        package let obstacle: String?
    }

    /// A fact that decides nothing: its name, and what was found.
    package struct Fact: Sendable, Hashable {
        package let name: String
        package let value: String
    }

    package internal(set) var module: ModuleInfo
    package internal(set) var token: [Fact] = []
    package internal(set) var mechanisms: [Mechanism] = []
    package internal(set) var keyTypes: [KeyType] = []
    /// The wrapping key that was tried: the one that wrapped custody asks for, or the best that could be made.
    package internal(set) var wrappingKey = "none"
    package internal(set) var steps: [Step] = []
    package internal(set) var attacks: [Attack] = []
    /// Sessions, threads, memory and times.
    package internal(set) var abilities: [Fact] = []

    /// Whether every step of wrapped custody worked and every attack on it was refused; what was not tried is a no.
    package var allowsWrappedCustody: Bool { allows(.wrapped) }

    /// Whether every step of resident custody worked and every attack on it was refused.
    package var allowsResidentCustody: Bool { allows(.resident) }

    /// What stands against a custody, in the module's words; empty where it is allowed.
    package func obstacles(to custody: Custody) -> [String] {
        let steps = steps.filter { $0.custody == custody }
        let attacks = attacks.filter { $0.custody == custody }
        guard !steps.isEmpty, !attacks.isEmpty else { return ["nothing was tried"] }
        return steps.compactMap { step in step.obstacle.map { "\(step.name): \($0)" } }
            + attacks.compactMap { $0.danger.map { "\($0)" } }
    }

    private func allows(_ custody: Custody) -> Bool { obstacles(to: custody).isEmpty }
}

extension ProbeReport.Attack {
    /// What the attack says against the module; nil where it was refused.
    package var danger: String? {
        switch result {
        case .refused: nil
        case .succeeded(let how): "\(name): succeeded (\(how))"
        case .notTried(let reason): "\(name): not tried (\(reason))"
        }
    }
}

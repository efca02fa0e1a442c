import CPKCS11
internal import HPKI

/// Which pairs the token makes, and what they sign.
struct KeyTypeProbe {
    let session: BareSession
    let kinds: [KeyType]

    func run(into report: inout ProbeReport) {
        for kind in kinds {
            report.keyTypes.append(probe(kind, rounds: kind.generation == CKM_EC_KEY_PAIR_GEN ? 5 : 2))
        }
    }

    private func probe(_ kind: KeyType, rounds: Int) -> ProbeReport.KeyType {
        var times: [Double] = []
        var refusal: Refusal?
        // Some modules make only objects of the token.
        for isToken in [false, true] {
            do throws(Refusal) {
                for round in 1...rounds {
                    let (pair, time) = try timed { () throws(Refusal) in
                        try session.generatePair(
                            kind.generation, ProbeTemplates.publicKey(kind, isToken: isToken),
                            ProbeTemplates.privateKey(isToken: isToken, isExtractable: false))
                    }
                    times.append(time)
                    defer {
                        session.destroy(pair.privateKey)
                        session.destroy(pair.publicKey)
                    }
                    // A slow token makes fewer.
                    guard round == rounds || times.reduce(0, +) > 4_000_000 else { continue }
                    return ProbeReport.KeyType(
                        name: kind.rawValue, obstacle: nil, isSessionObject: !isToken,
                        generateMicroseconds: median(times),
                        subjectPublicKeyInfo: subjectPublicKeyInfo(of: pair.publicKey),
                        signatures: kind.schemes.map { sign($0, with: pair.privateKey) })
                }
            } catch { refusal = refusal ?? error }
        }
        return ProbeReport.KeyType(
            name: kind.rawValue, obstacle: refusal?.words, isSessionObject: false, generateMicroseconds: nil,
            subjectPublicKeyInfo: [], signatures: [])
    }

    private func sign(_ scheme: SignatureScheme, with key: UInt) -> ProbeReport.Signature {
        do throws(Refusal) {
            let value = try session.sign(scheme.mechanism, with: key, scheme.input)
            return ProbeReport.Signature(scheme: scheme.name, value: value, obstacle: nil)
        } catch {
            return ProbeReport.Signature(scheme: scheme.name, value: [], obstacle: error.words)
        }
    }

    private func subjectPublicKeyInfo(of key: UInt) -> [UInt8] {
        if let modulus = try? session.value(CKA_MODULUS, of: key), !modulus.isEmpty,
            let exponent = try? session.value(CKA_PUBLIC_EXPONENT, of: key)
        {
            return SubjectPublicKeyInfo.rsa(modulus: modulus, exponent: exponent)
        }
        guard let parameters = try? session.value(CKA_EC_PARAMS, of: key),
            let point = try? session.value(CKA_EC_POINT, of: key)
        else { return [] }
        return (try? SubjectPublicKeyInfo.ec(parameters: parameters, point: point)) ?? []
    }
}

/// A way to sign the SHA-256 digest of no bytes.
struct SignatureScheme {
    let name: String
    let mechanism: UInt
    let input: [UInt8]

    private static let digest: [UInt8] = [
        0xE3, 0xB0, 0xC4, 0x42, 0x98, 0xFC, 0x1C, 0x14, 0x9A, 0xFB, 0xF4, 0xC8, 0x99, 0x6F, 0xB9, 0x24, 0x27, 0xAE,
        0x41,
        0xE4, 0x64, 0x9B, 0x93, 0x4C, 0xA4, 0x95, 0x99, 0x1B, 0x78, 0x52, 0xB8, 0x55,
    ]
    // The DigestInfo's beginning for SHA-256 (RFC 8017 §9.2, note 1).
    private static let digestInfo: [UInt8] = [
        0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
        0x20,
    ]

    static let pkcs1 = SignatureScheme(name: "PKCS#1 v1.5", mechanism: CKM_RSA_PKCS, input: digestInfo + digest)
    static let pss = SignatureScheme(name: "PSS", mechanism: CKM_RSA_PKCS_PSS, input: digest)
    static let ecdsa = SignatureScheme(name: "ECDSA", mechanism: CKM_ECDSA, input: digest)
}

extension KeyType {
    var schemes: [SignatureScheme] { modulusBits == nil ? [.ecdsa] : [.pkcs1, .pss] }

    /// The way in which the probe uses a key when it matters only that it signs.
    var plainSignature: SignatureScheme { modulusBits == nil ? .ecdsa : .pkcs1 }
}

/// Microseconds that `body` took, beside its result.
func timed<Value>(_ body: () throws(Refusal) -> Value) throws(Refusal) -> (Value, Double) {
    let start = ContinuousClock.now
    let value = try body()
    let (seconds, attoseconds) = start.duration(to: .now).components
    return (value, Double(seconds) * 1e6 + Double(attoseconds) / 1e12)
}

/// The middle one of `values`, which are not empty.
func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

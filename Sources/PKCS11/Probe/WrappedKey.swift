import CPKCS11
internal import HPKI

/// A key on the honest path of wrapped custody: generated, wrapped, and unwrapped for use.
struct WrappedKey {
    let kind: KeyType
    let generated: UInt
    let publicKey: UInt
    let mechanism: UInt
    let blob: [UInt8]
    let unwrapped: UInt

    /// Goes the honest path and notes each step.
    ///
    /// Where the module cannot, the nearest that it can is taken, so that there is something to attack; nil where
    /// there is nothing. Without `isToSign` the last step is left out.
    static func make(
        _ kind: KeyType, _ session: BareSession, wrappingKey: UInt, isToSign: Bool = true,
        steps: inout [ProbeReport.Step]
    ) -> WrappedKey? {
        func step(_ name: String, _ obstacle: Refusal? = nil, _ words: String? = nil) {
            steps.append(
                ProbeReport.Step(
                    custody: .wrapped, name: "\(name) (\(kind.rawValue))", obstacle: words ?? obstacle?.words))
        }
        let publicTemplate = ProbeTemplates.publicKey(kind, isToken: false)
        let generating = "generate a session key that a trusted key alone may wrap"
        var pair: (publicKey: UInt, privateKey: UInt)
        do throws(Refusal) {
            pair = try session.generatePair(kind.generation, publicTemplate, ProbeTemplates.leaving)
            let isKept = session.flag(CKA_WRAP_WITH_TRUSTED, of: pair.privateKey) == true
            step(generating, nil, isKept ? nil : "the module forgets CKA_WRAP_WITH_TRUSTED")
        } catch {
            step(generating, error)
            let plain = ProbeTemplates.leaving.without(CKA_WRAP_WITH_TRUSTED)
            guard let made = try? session.generatePair(kind.generation, publicTemplate, plain) else { return nil }
            pair = made
        }
        let wrapping = "wrap it by CKM_AES_KEY_WRAP_PAD"
        var blob: [UInt8]?
        var mechanism = CKM_AES_KEY_WRAP_PAD
        do throws(Refusal) {
            blob = try session.wrap(mechanism, by: wrappingKey, pair.privateKey)
            step(wrapping)
        } catch {
            step(wrapping, error)
            // An untrusted wrapping key wraps no key that asks for a trusted one.
            let plain = ProbeTemplates.leaving.without(CKA_WRAP_WITH_TRUSTED)
            if let made = try? session.generatePair(kind.generation, publicTemplate, plain) {
                session.destroy(pair.publicKey)
                session.destroy(pair.privateKey)
                pair = made
            }
            for other in [CKM_AES_KEY_WRAP_PAD, keyWrapKWP, CKM_AES_CBC_PAD] where blob == nil {
                blob = try? session.wrap(other, by: wrappingKey, pair.privateKey)
                mechanism = other
            }
        }
        func giveUp() -> WrappedKey? {
            session.destroy(pair.publicKey)
            session.destroy(pair.privateKey)
            return nil
        }
        guard let blob, !blob.isEmpty else { return giveUp() }
        let unwrapping = "unwrap it as a session object that cannot leave"
        let unwrapped: UInt
        do throws(Refusal) {
            unwrapped = try session.unwrap(mechanism, by: wrappingKey, blob, ProbeTemplates.unwrapped(kind.number))
            step(unwrapping, nil, Attacker(session: session).looseness(of: unwrapped))
        } catch {
            step(unwrapping, error)
            return giveUp()
        }
        if isToSign {
            do throws(Refusal) {
                _ = try session.sign(kind.plainSignature.mechanism, with: unwrapped, kind.plainSignature.input)
                step("sign with the unwrapped key")
            } catch {
                step("sign with the unwrapped key", error)
            }
        }
        return WrappedKey(
            kind: kind, generated: pair.privateKey, publicKey: pair.publicKey, mechanism: mechanism, blob: blob,
            unwrapped: unwrapped)
    }

    func destroy(in session: BareSession) {
        for object in [generated, publicKey, unwrapped] { session.destroy(object) }
    }

    /// CKM_AES_KEY_WRAP_KWP of PKCS#11 v3.0, which the headers of v2.40 do not name.
    private static let keyWrapKWP: UInt = 0x210B
}

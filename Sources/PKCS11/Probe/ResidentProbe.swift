import CPKCS11
internal import HPKI

/// Whether a key that is an object of the token stays there: made, used, attacked, destroyed.
struct ResidentProbe {
    let session: BareSession

    func run(into report: inout ProbeReport) {
        var refusals: [String] = []
        for kind in [KeyType.p256, .rsa2048] {
            do throws(Refusal) {
                let pair = try session.generatePair(
                    kind.generation, ProbeTemplates.publicKey(kind, isToken: true),
                    ProbeTemplates.privateKey(isToken: true, isExtractable: false))
                defer {
                    session.destroy(pair.privateKey)
                    session.destroy(pair.publicKey)
                }
                note("generate a key of the token (\(kind.rawValue))", nil, &report)
                probe(pair.privateKey, kind, &report)
                return
            } catch { refusals.append("\(kind.rawValue): \(error.words)") }
        }
        note("generate a key of the token", refusals.joined(separator: "; "), &report)
    }

    private func probe(_ key: UInt, _ kind: KeyType, _ report: inout ProbeReport) {
        let attacker = Attacker(session: session)
        note(
            "the key cannot leave and signs alone", attacker.looseness(of: key, isToken: true) ?? unconfined(key),
            &report)
        do throws(Refusal) {
            _ = try session.sign(kind.plainSignature.mechanism, with: key, kind.plainSignature.input)
            note("sign with it", nil, &report)
        } catch { note("sign with it", error.words, &report) }
        let loosened: [(name: String, type: UInt, value: Bool)] = [
            ("CKA_SENSITIVE", CKA_SENSITIVE, false), ("CKA_EXTRACTABLE", CKA_EXTRACTABLE, true),
        ]
        report.attacks += [
            attacker.attack(.resident, "read a resident key", attacker.reads(key)),
            attacker.attack(.resident, "wrap a resident key under a known key", attacker.knownWraps(key)),
            attacker.attack(.resident, "loosen a resident key", attacker.sets(key, loosened)),
            attacker.attack(.resident, "copy a resident key loosened", attacker.copies(key, loosened)),
        ]
    }

    private func unconfined(_ key: UInt) -> String? {
        session.flag(CKA_ALWAYS_SENSITIVE, of: key) == true && session.flag(CKA_NEVER_EXTRACTABLE, of: key) == true
            ? nil : "the module does not say that the key was never readable or extractable"
    }

    private func note(_ name: String, _ obstacle: String?, _ report: inout ProbeReport) {
        report.steps.append(ProbeReport.Step(custody: .resident, name: name, obstacle: obstacle))
    }
}

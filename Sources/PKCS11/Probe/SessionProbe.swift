import CPKCS11
internal import Foundation
internal import HPKI
internal import Synchronization

/// Whether several threads can use the token at once, each in a session of its own.
struct SessionProbe {
    let session: BareSession

    func run(into report: inout ProbeReport) {
        report.abilities.append(ProbeReport.Fact(name: "sessions on four threads", value: threads()))
    }

    /// Four threads log nobody in: the login holds for all sessions of the process.
    private func threads() -> String {
        for kind in [KeyType.p256, .rsa2048] {
            for isToken in [false, true] {
                guard
                    let pair = try? session.generatePair(
                        kind.generation, ProbeTemplates.publicKey(kind, isToken: isToken),
                        ProbeTemplates.privateKey(isToken: isToken, isExtractable: false))
                else { continue }
                defer {
                    session.destroy(pair.privateKey)
                    session.destroy(pair.publicKey)
                }
                return sign(with: pair.privateKey, kind) ?? "work (\(kind.rawValue))"
            }
        }
        return "not tried: no key"
    }

    private func sign(with key: UInt, _ kind: KeyType) -> String? {
        let failure = Mutex<String?>(nil)
        let group = DispatchGroup()
        for _ in 0..<4 {
            group.enter()
            let thread = Thread { [session] in
                defer { group.leave() }
                do throws(Refusal) {
                    let own = try BareSession.open(session.functions, slot: session.slot)
                    defer { own.close() }
                    for _ in 0..<8 {
                        _ = try own.sign(kind.plainSignature.mechanism, with: key, kind.plainSignature.input)
                    }
                } catch { failure.withLock { $0 = $0 ?? error.words } }
            }
            thread.start()
        }
        group.wait()
        return failure.withLock { $0 }
    }
}

/// What a use of a wrapped key costs: time, memory, and whether another session can use it.
struct UnwrapProbe {
    let session: BareSession
    let wrappingKey: UInt
    let key: WrappedKey

    func run(into report: inout ProbeReport) {
        func note(_ name: String, _ value: String) {
            report.abilities.append(ProbeReport.Fact(name: "\(name) (\(key.kind.rawValue))", value: value))
        }
        note("an unwrapped key in another session", otherSession())
        note("an unwrapped key copied into the token", copied())
        do throws(Refusal) {
            var times: (unwrap: [Double], sign: [Double], destroy: [Double]) = ([], [], [])
            for _ in 0..<25 {
                let (made, unwrap) = try timed { () throws(Refusal) in try self.unwrap() }
                let scheme = key.kind.plainSignature
                let (_, sign) = try timed { () throws(Refusal) in
                    try session.sign(scheme.mechanism, with: made, scheme.input)
                }
                let (_, destroy) = try timed { () throws(Refusal) in session.destroy(made) }
                times.unwrap.append(unwrap)
                times.sign.append(sign)
                times.destroy.append(destroy)
            }
            let middle = [times.unwrap, times.sign, times.destroy].map { "\(Int(median($0)))" }
            note("microseconds to unwrap, sign, destroy", middle.joined(separator: ", "))
            note("bytes of memory kept per unwrap", try memoryPerUnwrap())
        } catch {
            note("microseconds to unwrap, sign, destroy", "not measured: \(error.words)")
        }
    }

    private func unwrap() throws(Refusal) -> UInt {
        try session.unwrap(key.mechanism, by: wrappingKey, key.blob, ProbeTemplates.unwrapped(key.kind.number))
    }

    private func otherSession() -> String {
        do throws(Refusal) {
            let other = try BareSession.open(session.functions, slot: session.slot)
            defer { other.close() }
            let scheme = key.kind.plainSignature
            _ = try other.sign(scheme.mechanism, with: key.unwrapped, scheme.input)
            return "usable"
        } catch { return "not usable: \(error.words)" }
    }

    /// Whoever can unwrap a key can keep it in the token, unless the template forbids copies; an audit finds it there.
    private func copied() -> String {
        do throws(Refusal) {
            session.destroy(try session.copy(key.unwrapped, [Attribute(CKA_TOKEN, true)]))
            return "possible"
        } catch { return "refused: \(error.words)" }
    }

    /// How much the process grows over 2000 unwraps, each destroyed, or as many as fit into two seconds.
    private func memoryPerUnwrap() throws(Refusal) -> String {
        let end = ContinuousClock.now.advanced(by: .seconds(2))
        for _ in 0..<20 { session.destroy(try unwrap()) }
        guard let before = residentBytes() else { return "not measured" }
        var count = 0
        while count < 2000, ContinuousClock.now < end {
            session.destroy(try unwrap())
            count += 1
        }
        guard count > 0, let after = residentBytes() else { return "not measured" }
        return "\(max(0, after - before) / count) over \(count)"
    }

    private func residentBytes() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * Int(getpagesize())
    }
}

internal import HPKI
package import Outbound
package import Transparency

/// Asks witnesses for cosignatures (C2SP tlog-witness, the client's side); what comes back is checked by whoever holds
/// the log.
package struct WitnessClient: Sendable {
    /// What a witness answered.
    package enum Answer: Sendable, Hashable {
        /// 200: the bytes behind the id of its key in its signature lines; none where it does not sign by that key.
        case cosigned([UInt8]?)
        /// 409: the size that it cosigned last.
        case conflict(size: UInt64)
        /// 422: the proof does not lead to the checkpoint.
        case inconsistent
        case unknownLog
        case unknownKey
        case refused(status: Int)
        case unreachable(String)
    }

    private let outbound: Outbound
    private let timeoutSeconds: Int

    /// A client over `outbound`, with so many seconds for each exchange.
    package init(outbound: Outbound, timeoutSeconds: Int) {
        self.outbound = outbound
        self.timeoutSeconds = timeoutSeconds
    }

    /// Submits a request's body to the witness whose submission prefix is `url` and whose key is `key`.
    package func add(_ body: [UInt8], to url: String, key: NoteKey) async -> Answer {
        let response: OutboundResponse
        do throws(OutboundError) {
            response = try await outbound.send(
                OutboundRequest(
                    url + "/add-checkpoint", method: "POST",
                    headers: [OutboundHeader("Content-Type", "text/plain; charset=utf-8")], body: body,
                    limit: AddCheckpoint.longest, timeoutSeconds: timeoutSeconds))
        } catch { return .unreachable("\(error)") }
        switch response.status {
        case 200:
            guard let lines = try? AddCheckpoint.signatures(in: response.body) else {
                return .unreachable("the answer is no list of signatures")
            }
            return .cosigned(lines.first { $0.name == key.name && $0.keyID == key.keyID }?.value)
        case 403: return .unknownKey
        case 404: return .unknownLog
        case 409:
            let text = String(decoding: response.body.prefix(32), as: UTF8.self)
            guard text.hasSuffix("\n"), let size = UInt64(text.dropLast()) else {
                return .unreachable("the answer to a conflict has no size")
            }
            return .conflict(size: size)
        case 422: return .inconsistent
        default: return .refused(status: response.status)
        }
    }

    /// The newest checkpoint that the witness cosigned of the log, as `shirushi witness` gives it; nil where it gives none.
    package func checkpoint(of origin: String, at url: String) async -> [UInt8]? {
        let hash = Digest(of: Array(origin.utf8)).hex
        do throws(OutboundError) {
            return try await outbound.fetch(
                "\(url)/log/\(hash)/checkpoint", limit: AddCheckpoint.longest, timeoutSeconds: timeoutSeconds
            ).body
        } catch { return nil }
    }
}

internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Synchronization

extension Request {
    /// The whole body, as soon as it has come.
    ///
    /// Throws `.tooLarge` at the first sign of a longer body than `limits` allow, `.tooSlow` when it did not come in
    /// time, `.tooManyRequests` or `.overloaded` when too many bodies are held already. The bytes held are counted in
    /// `admission` and given back by `HeldBytes`.
    func collectBody(_ limits: WebSettings.Limits, _ held: HeldBytes) async throws(Failure) -> [UInt8] {
        let declared = try declaredLength(limits)
        var buffer = ByteBuffer()
        do {
            for try await var part in body {
                guard buffer.readableBytes + part.readableBytes <= limits.bodyBytes else {
                    throw Self.tooLarge(limits)
                }
                try held.add(part.readableBytes)
                if buffer.readableBytes == 0 {
                    buffer = part
                } else {
                    // Grown geometrically by the buffer itself; a declared length is not trusted for allocation.
                    buffer.writeBuffer(&part)
                }
            }
        } catch let failure as Failure {
            throw failure
        } catch is RequestTooSlow {
            throw Failure(.tooSlow, "The body did not come whole within \(limits.requestSeconds) s.")
        } catch {
            throw Failure(.malformedRequest, "The body broke off or was not framed as HTTP/1.1 demands.")
        }
        if let declared, declared != buffer.readableBytes {
            throw Failure(.malformedRequest, "The body is not as long as its Content-Length says.")
        }
        return Array(buffer: buffer)
    }

    private func declaredLength(_ limits: WebSettings.Limits) throws(Failure) -> Int? {
        guard let text = headers[.contentLength] else { return nil }
        guard let length = Int(text), length >= 0 else {
            // A length too great for Int is a great length.
            throw text.allSatisfy(\.isNumber)
                ? Self.tooLarge(limits) : Failure(.malformedRequest, "The Content-Length is no number.")
        }
        guard length <= limits.bodyBytes else { throw Self.tooLarge(limits) }
        return length
    }

    private static func tooLarge(_ limits: WebSettings.Limits) -> Failure {
        Failure(.tooLarge, "The body is longer than \(limits.bodyBytes) bytes.")
    }

    /// Throws `.unsupportedMediaType` unless the one Content-Type is JSON, in UTF-8 where it names a charset.
    func requireJSON() throws(Failure) {
        let fields = headers[values: .contentType]
        let parts = (fields.first ?? "").lowercased().split(separator: ";").map { part in
            part.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
        }
        guard fields.count == 1, parts.first == "application/json",
            parts.dropFirst().allSatisfy({ $0 == "charset=utf-8" })
        else {
            throw Failure(.unsupportedMediaType, "The Content-Type must be application/json.")
        }
        guard headers[.contentEncoding] == nil else {
            throw Failure(.unsupportedMediaType, "The body must not be compressed.")
        }
    }
}

/// Bytes of one request's body that count towards the budget of all bodies, until `release`.
final class HeldBytes: Sendable {
    /// The first bytes of every body count for nothing, so that small ones pass whatever the large ones hold; the
    /// number of connections bounds them.
    private static let free = 64 << 10

    private let admission: Admission
    private let address: String
    private let count = Mutex((come: 0, held: 0))

    init(_ admission: Admission, address: String) {
        self.admission = admission
        self.address = address
    }

    func add(_ bytes: Int) throws(Failure) {
        let more = count.withLock { count in
            count.come += bytes
            return max(0, count.come - Self.free) - count.held
        }
        guard more > 0 else { return }
        try admission.hold(bytes: more, of: address)
        count.withLock { $0.held += more }
    }

    func release() {
        let bytes = count.withLock { count in
            defer { count = (0, 0) }
            return count.held
        }
        if bytes > 0 { admission.release(bytes: bytes, of: address) }
    }
}

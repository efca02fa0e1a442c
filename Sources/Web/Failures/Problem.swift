internal import HPKI
internal import HTTPTypes
internal import Hummingbird

/// A failure as `application/problem+json` (RFC 9457).
enum Problem {
    /// `isDPoP` says whether the request came by the scheme `DPoP`, whose challenge then carries the error.
    static func response(
        for failure: Failure, requestID: String, allow: String? = nil, isDPoP: Bool = false
    ) -> Response {
        let row = FailureTable.row(failure.kind)
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        headers.append(contentsOf: Challenge.fields(failure, row, isDPoP: isDPoP))
        if let seconds = failure.retryAfter ?? row.retryAfter { headers[.retryAfter] = String(seconds) }
        if let allow { headers[.allow] = allow }
        return Response(
            status: HTTPResponse.Status(code: row.status), headers: headers,
            body: ResponseBody(byteBuffer: body(of: failure, row: row, requestID: requestID))
        )
    }

    /// The same for a connection on which no request came through.
    static func parts(for failure: Failure, requestID: String) -> (HTTPResponse, ByteBuffer) {
        let row = FailureTable.row(failure.kind)
        let body = body(of: failure, row: row, requestID: requestID)
        var headers: HTTPFields = [.contentType: "application/problem+json", .connection: "close"]
        headers.append(contentsOf: FailureMiddleware.security)
        headers[.requestID] = requestID
        headers[.contentLength] = String(body.readableBytes)
        return (HTTPResponse(status: HTTPResponse.Status(code: row.status), headerFields: headers), body)
    }

    private static func body(of failure: Failure, row: FailureTable.Row, requestID: String) -> ByteBuffer {
        var json = JSONWriter(capacity: 512)
        write(failure, row, requestID, to: &json)
        return json.finish()
    }

    /// The members of a problem, which may also stand in an answer that has others beside it.
    static func write(
        _ failure: Failure, _ row: FailureTable.Row, _ requestID: String, to json: inout JSONWriter
    ) {
        json.plain("type", row.type)
        json.string("title", row.title)
        json.integer("status", row.status)
        json.string("detail", failure.detail)
        json.plain("requestId", requestID)
        if let rule = failure.rule { json.string("rule", rule) }
        // A nonce is told in the field that is made for it.
        if let reason = failure.reasons.first, failure.kind != .dpopNonceNeeded {
            if failure.reasons.count == 1 { json.string("reason", reason) }
            json.strings("reasons", failure.reasons)
        }
        json.string("next", row.next)
        if let seconds = failure.retryAfter ?? row.retryAfter { json.integer("retryAfter", seconds) }
    }
}

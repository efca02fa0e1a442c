internal import HPKI
internal import HTTPTypes
internal import Hummingbird

/// A failure as `application/problem+json` (RFC 9457).
enum Problem {
    static func response(for failure: Failure, requestID: String, allow: String? = nil) -> Response {
        let row = FailureTable.row(failure.kind)
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if row.status == 401 { headers[.wwwAuthenticate] = challenge(failure, row) }
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
        if let reason = failure.reasons.first {
            if failure.reasons.count == 1 { json.string("reason", reason) }
            json.strings("reasons", failure.reasons)
        }
        json.string("next", row.next)
        if let seconds = failure.retryAfter ?? row.retryAfter { json.integer("retryAfter", seconds) }
    }

    /// RFC 6750 §3: a request without credentials is told the scheme alone, without an error code.
    private static func challenge(_ failure: Failure, _ row: FailureTable.Row) -> String {
        guard let error = row.oauthError else { return "Bearer realm=\"shirushi\"" }
        // error_description may hold %x20-21 / %x23-5B / %x5D-7E only.
        var description = String.UnicodeScalarView()
        for scalar in failure.detail.unicodeScalars {
            let isAllowed = (0x20...0x7E).contains(scalar.value) && scalar != "\"" && scalar != "\\"
            description.append(isAllowed ? scalar : "'")
        }
        return "Bearer realm=\"shirushi\", error=\"\(error)\", error_description=\"\(String(description))\""
    }
}

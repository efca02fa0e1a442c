internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The headers that fence a page in: nothing inline, nothing from elsewhere, no frames around it.
package enum PageFence {
    /// `formTargets` are addresses that posting a form of the page may lead on to by a redirect: browsers hold
    /// `form-action` against each step of it.
    static func fields(runsScript: Bool = false, formTargets: [String] = []) -> HTTPFields {
        let script = runsScript ? "'self'" : "'none'"
        var forms = "'self'"
        var known: Set<String> = []
        for source in formTargets.prefix(8).compactMap(source) where known.insert(source).inserted {
            forms += " " + source
        }
        return [
            .contentSecurityPolicy: """
            default-src 'none'; style-src 'self'; img-src 'self'; script-src \(script); form-action \(forms); \
            base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'
            """,
            .referrerPolicy: "same-origin",
            .crossOriginOpenerPolicy: "same-origin",
            .crossOriginResourcePolicy: "same-origin",
            .permissionsPolicy: "camera=(), geolocation=(), microphone=(), payment=()",
            .xFrameOptions: "DENY",
        ]
    }

    /// What stands for `address` in a list of sources (Content Security Policy Level 3 §2.3.1): its origin, or its scheme
    /// where it has no host that the grammar knows; nil for what is no address.
    package static func source(_ address: String) -> String? {
        guard let colon = address.firstIndex(of: ":"), address.utf8.count <= 4096 else { return nil }
        let scheme = address[..<colon].lowercased()
        guard let first = scheme.utf8.first, isLetter(first),
            scheme.utf8.allSatisfy({ isLetter($0) || isDigit($0) || "+-.".utf8.contains($0) }),
            scheme != "javascript", scheme != "data"
        else { return nil }
        guard scheme == "https" || scheme == "http" else { return scheme + ":" }
        let rest = address[address.index(after: colon)...]
        guard rest.hasPrefix("//") else { return nil }
        let authority = rest.dropFirst(2).prefix { !"/?#\\".contains($0) }.lowercased()
        // An IPv6 address (a loopback redirect, RFC 8252 §7.3) is no host source.
        if authority.hasPrefix("[") { return scheme + ":" }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first, !host.isEmpty,
            host.utf8.allSatisfy({ isLetter($0) || isDigit($0) || "-.".utf8.contains($0) }),
            parts.dropFirst().allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) })
        else { return nil }
        return "\(scheme)://\(authority)"
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// A whole page.
    static func page(
        _ html: String, _ visit: PageVisit, status: Int = 200, runsScript: Bool = false, formTargets: [String] = []
    ) -> Response {
        var headers: HTTPFields = [.contentType: "text/html; charset=utf-8"]
        headers.append(contentsOf: fields(runsScript: runsScript, formTargets: formTargets))
        if let kept = visit.languageField { headers.append(kept) }
        return Response(
            status: HTTPResponse.Status(code: status), headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
    }

    /// An answer that leads elsewhere, by GET.
    static func redirect(to place: String, cookies: [String] = []) -> Response {
        var headers: HTTPFields = [.location: place]
        headers.append(contentsOf: fields())
        for cookie in cookies { headers.append(HTTPField(name: .setCookie, value: cookie)) }
        return Response(status: .seeOther, headers: headers)
    }
}

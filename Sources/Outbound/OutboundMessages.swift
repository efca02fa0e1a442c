/// One header field of a request or an answer.
package struct OutboundHeader: Sendable, Hashable {
    package let name: String
    package let value: String

    /// A field by its name and value.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// One request with its bounds.
package struct OutboundRequest: Sendable, Hashable {
    package var url: String
    package var method: String
    package var headers: [OutboundHeader]
    package var body: [UInt8]
    /// The largest body of an answer, in bytes.
    package var limit: Int
    /// How long the whole exchange may take.
    package var timeoutSeconds: Int

    /// A request; without `method` a GET.
    package init(
        _ url: String, method: String = "GET", headers: [OutboundHeader] = [], body: [UInt8] = [], limit: Int,
        timeoutSeconds: Int
    ) {
        self.url = url
        self.method = method
        self.headers = headers
        self.body = body
        self.limit = limit
        self.timeoutSeconds = timeoutSeconds
    }
}

/// A complete answer.
package struct OutboundResponse: Sendable, Hashable {
    package let status: Int
    package let headers: [OutboundHeader]
    package let body: [UInt8]

    /// The first value of a header, its name compared without regard to case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

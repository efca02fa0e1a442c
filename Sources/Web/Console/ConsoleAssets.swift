internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The console's files; the name of each holds its digest, so that a page never meets another version's.
struct ConsoleAssets: Sendable {
    let name: String
    let type: String
    let bytes: [UInt8]

    var path: String { "/console/assets/\(name)" }

    static let css = ConsoleAssets("console", "css", "text/css; charset=utf-8", PackageResources.console_css)
    static let proof = ConsoleAssets("proof", "js", "text/javascript; charset=utf-8", PackageResources.proof_js)
    static let icon = ConsoleAssets("icon", "svg", "image/svg+xml", PackageResources.icon_svg)

    private init(_ name: String, _ suffix: String, _ type: String, _ bytes: [UInt8]) {
        self.name = "\(name)-\(Digest(of: bytes).hex.prefix(16)).\(suffix)"
        self.type = type
        self.bytes = bytes
    }

    static func response(named name: String) throws(Failure) -> Response {
        guard let asset = [css, proof, icon].first(where: { $0.name == name }) else {
            throw Failure(.notFound, "There is no such file.")
        }
        var headers: HTTPFields = [.contentType: asset.type]
        headers.append(contentsOf: ConsolePage.fence(runsScript: false))
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
    }
}

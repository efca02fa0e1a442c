internal import HPKI
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// A file that pages load; its name holds its digest, so that a page never meets another version's.
struct PageAsset: Sendable {
    let name: String
    /// The address, such as `/console/assets/console-0011223344556677.css`.
    let path: String
    let type: String
    let bytes: [UInt8]

    /// A file below `folder`, such as `/console/assets`, with the suffix `suffix`.
    init(_ folder: String, _ name: String, _ suffix: String, _ type: String, _ bytes: [UInt8]) {
        self.name = "\(name)-\(Digest(of: bytes).hex.prefix(16)).\(suffix)"
        path = folder + "/" + self.name
        self.type = type
        self.bytes = bytes
    }

    /// A style: what all pages share, then what those of one part have besides.
    static func style(_ folder: String, _ name: String, _ bytes: [UInt8]) -> PageAsset {
        PageAsset(folder, name, "css", "text/css; charset=utf-8", PackageResources.base_css + bytes)
    }

    /// The mark in the window's tab.
    static func icon(_ folder: String) -> PageAsset {
        PageAsset(folder, "icon", "svg", "image/svg+xml", PackageResources.icon_svg)
    }

    /// The file of that name among `assets`; throws `.notFound` where there is none.
    static func response(named name: String, among assets: [PageAsset]) throws(Failure) -> Response {
        guard let asset = assets.first(where: { $0.name == name }) else {
            throw Failure(.notFound, "There is no such file.")
        }
        var headers: HTTPFields = [.contentType: asset.type]
        headers.append(contentsOf: PageFence.fields())
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
    }
}

internal import HPKI
internal import Hummingbird

/// The console's files.
enum ConsoleAssets {
    private static let folder = "/console/assets"

    static let css = PageAsset.style(folder, "console", PackageResources.console_css)
    static let proof = PageAsset(
        folder, "proof", "js", "text/javascript; charset=utf-8", PackageResources.proof_js)
    static let icon = PageAsset.icon(folder)

    static func response(named name: String) throws(Failure) -> Response {
        try PageAsset.response(named: name, among: [css, proof, icon])
    }
}

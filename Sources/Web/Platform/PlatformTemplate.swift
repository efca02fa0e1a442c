/// The pages of the authentication platform.
enum PlatformTemplate: String, PageSet {
    case login, fault, sessions, help
    case differentUser = "different-user"
    case signedOut = "signed-out"
    case logoutConfirm = "logout-confirm"
    case helpEntry = "help-entry"

    static let sources = [
        "top": PackageResources.platform_top_mustache, "bottom": PackageResources.platform_bottom_mustache,
        "login": PackageResources.login_mustache, "fault": PackageResources.fault_mustache,
        "sessions": PackageResources.sessions_mustache, "help": PackageResources.help_mustache,
        "different-user": PackageResources.different_user_mustache,
        "signed-out": PackageResources.signed_out_mustache,
        "logout-confirm": PackageResources.logout_confirm_mustache,
        "help-entry": PackageResources.help_entry_mustache,
        "action": PackageResources.action_mustache, "hidden": PackageResources.hidden_mustache,
        "advice": PackageResources.advice_mustache, "happening": PackageResources.happening_mustache,
    ].texts.merging(SharedTemplates.sources) { own, _ in own }
}

/// The words of the platform's screens, one table per language; those of its messages are in `HelpCatalogue`.
enum PlatformTexts {
    static let japanese = Texts(.japanese, PackageResources.platform_ja_txt)
    static let english = Texts(.english, PackageResources.platform_en_txt)

    static func of(_ language: Language) -> Texts {
        switch language {
        case .japanese: japanese
        case .english: english
        }
    }
}

/// The platform's files, which its card hosts serve as well.
enum PlatformAssets {
    private static let folder = "/platform/assets"

    static let css = PageAsset.style(folder, "platform", PackageResources.platform_css)
    static let icon = PageAsset.icon(folder)
    static let all = [css, icon]
}

/// The console's words, one table per language.
enum ConsoleTexts {
    static let japanese = Texts(.japanese, PackageResources.ja_txt)
    static let english = Texts(.english, PackageResources.en_txt)

    static func of(_ language: Language) -> Texts {
        switch language {
        case .japanese: japanese
        case .english: english
        }
    }
}

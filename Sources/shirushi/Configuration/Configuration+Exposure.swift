import Host

extension Configuration {
    /// What of the instance others than its owner may change, or have led elsewhere; each with what mends it.
    func exposures(in home: Home) -> [String] {
        let owned = beneath(home.secrets) + beneath(home.data)
        let others =
            [
                home.path, home.secrets, home.data, home.run, home.policies, home.hsm, home.configuration, policyFile,
                home.trust,
            ] + [validationPolicyFile].compactMap(\.self) + furtherTrust
        let trust = ([home.trust] + furtherTrust).flatMap(beneath)
        let links = owned.filter(Files.isSymbolicLink).map { "`\($0)` is a symbolic link; put the file itself there" }
        let paths = others + owned + trust + trust.flatMap(beneath)
        return links
            + paths.compactMap { path in
                Files.modeIfWritableByOthers(path).map {
                    "`\(path)` has mode \($0): others may write to it; run: chmod go-w \(path)"
                }
            }
    }

    private func beneath(_ folder: String) -> [String] {
        ((try? Files.names(in: folder)) ?? []).map { folder + "/" + $0 }
    }
}

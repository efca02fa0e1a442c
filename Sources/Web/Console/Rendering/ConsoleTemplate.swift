/// The console's pages.
enum ConsoleTemplate: String, PageSet {
    case signIn = "sign-in"
    case overview, search, record, key, holder, find, uses, policies, anomalies, log, error

    static let sources = [
        "top": PackageResources.top_mustache, "bottom": PackageResources.bottom_mustache,
        "sign-in": PackageResources.sign_in_mustache, "overview": PackageResources.overview_mustache,
        "search": PackageResources.search_mustache, "record": PackageResources.record_mustache,
        "key": PackageResources.key_mustache, "holder": PackageResources.holder_mustache,
        "find": PackageResources.find_mustache, "uses": PackageResources.uses_mustache,
        "policies": PackageResources.policies_mustache, "anomalies": PackageResources.anomalies_mustache,
        "log": PackageResources.log_mustache, "error": PackageResources.error_mustache,
        "index-notice": PackageResources.index_notice_mustache,
        "chart": PackageResources.chart_mustache, "ranked": PackageResources.ranked_mustache,
        "rows": PackageResources.rows_mustache, "paging": PackageResources.paging_mustache,
        "facts": PackageResources.facts_mustache, "field": PackageResources.field_mustache,
    ].texts.merging(SharedTemplates.sources) { own, _ in own }
}

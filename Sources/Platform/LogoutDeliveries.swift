package import CoreProtocol
package import HPKI
internal import Host

/// Tells relying systems of sessions that ended (OpenID Connect Back-Channel Logout 1.0 §2.5).
///
/// Core keeps what is to be told, when it is due and for how long it is tried, and signs it anew for each attempt; here
/// it is only known what is under way.
package actor LogoutDeliveries {
    /// The status that posting a form to an address gave; nil where there was no answer.
    package typealias Post = @Sendable (_ url: String, _ form: String) async -> Int?

    private static let second: UInt64 = 1_000_000_000
    private static let atOnce = 16

    private let core: any CoreCalling
    private let post: Post
    private let report: @Sendable (_ client: ClientID, _ cause: String) -> Void
    private var underWay: Set<Int64> = []

    /// Deliveries by `post`; `report` is told of those that failed.
    package init(
        core: any CoreCalling, post: @escaping Post,
        report: @escaping @Sendable (_ client: ClientID, _ cause: String) -> Void
    ) {
        self.core = core
        self.post = post
        self.report = report
    }

    /// Looks every second what there is to tell, until its task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                for notice in await due() { group.addTask { await self.deliver(notice) } }
                guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
            }
        }
    }

    /// Tells what is due now, and waits for the ends of it.
    package func runOnce() async {
        await withDiscardingTaskGroup { group in
            for notice in await due() { group.addTask { await self.deliver(notice) } }
        }
    }

    /// The notices whose time has come, which count as under way from now on.
    private func due() async -> [LogoutNotice] {
        guard case .logouts(let notices)? = try? await ask(.logouts) else { return [] }
        let due = notices.filter { !underWay.contains($0.number) }.prefix(Self.atOnce - underWay.count)
        underWay.formUnion(due.map(\.number))
        return Array(due)
    }

    private func deliver(_ notice: LogoutNotice) async {
        let status = await post(notice.url, PercentEncoding.query([("logout_token", notice.logoutToken)]))
        let isTold = status.map { (200..<300).contains($0) } ?? false
        if !isTold {
            report(notice.client, status.map { "it answered with status \($0)" } ?? "it did not answer")
        }
        // Each attempt is told, so that one that fails does not stand before others. Where core cannot be told now it
        // brings the notice again, and the relying system hears of it twice.
        _ = try? await ask(.told(logout: notice.number, isDone: isTold))
        underWay.remove(notice.number)
    }

    private func ask(_ act: PlatformAct) async throws(Failure) -> PlatformReply {
        let command = PlatformCommand(requestID: "logouts", act: act)
        let deadline = Monotonic.now + 5 * Self.second
        guard case .platform(let reply) = try await core.call(.platform(command), deadline: deadline) else {
            throw Failure(.unexpected, "Core answered something else.", cause: "another reply to a platform command")
        }
        return reply
    }
}

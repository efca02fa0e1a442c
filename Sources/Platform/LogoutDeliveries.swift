package import CoreProtocol
package import HPKI
internal import Host

/// Tells relying systems of sessions that ended (OpenID Connect Back-Channel Logout 1.0 §2.5).
///
/// Core keeps what is to be told and signs it anew for each attempt; here it is only known when the next is due.
package actor LogoutDeliveries {
    /// The status that posting a form to an address gave; nil where there was no answer.
    package typealias Post = @Sendable (_ url: String, _ form: String) async -> Int?

    private struct Attempts {
        var count = 0
        var next: UInt64
        let first: UInt64
        var isUnderWay = false
    }

    private static let second: UInt64 = 1_000_000_000
    /// Beyond this a relying system is not told any more: its tokens have ended long before.
    private static let longest: UInt64 = 86_400
    private static let longestPause: UInt64 = 3600
    private static let atOnce = 16

    private let core: any CoreCalling
    private let post: Post
    private let now: @Sendable () -> UInt64
    private let report: @Sendable (_ client: ClientID, _ cause: String) -> Void
    private var attempts: [Int64: Attempts] = [:]
    private var underWay = 0

    /// Deliveries by `post`; `report` is told of those that failed, `now` is monotonic, in nanoseconds.
    package init(
        core: any CoreCalling, post: @escaping Post, now: @escaping @Sendable () -> UInt64 = { Monotonic.now },
        report: @escaping @Sendable (_ client: ClientID, _ cause: String) -> Void
    ) {
        self.core = core
        self.post = post
        self.now = now
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
        let moment = now()
        let numbers = Set(notices.map(\.number))
        attempts = attempts.filter { numbers.contains($0.key) || $0.value.isUnderWay }
        var due: [LogoutNotice] = []
        for notice in notices where underWay < Self.atOnce {
            var attempt = attempts[notice.number] ?? Attempts(next: moment, first: moment)
            guard !attempt.isUnderWay, attempt.next <= moment else { continue }
            attempt.isUnderWay = true
            attempts[notice.number] = attempt
            underWay += 1
            due.append(notice)
        }
        return due
    }

    private func deliver(_ notice: LogoutNotice) async {
        let status = await post(notice.url, PercentEncoding.query([("logout_token", notice.logoutToken)]))
        underWay -= 1
        guard var attempt = attempts[notice.number] else { return }
        attempt.isUnderWay = false
        attempt.count += 1
        let moment = now()
        let isTold = status.map { (200..<300).contains($0) } ?? false
        let isOver = moment &- attempt.first >= Self.longest * Self.second
        if !isTold {
            report(notice.client, status.map { "it answered with status \($0)" } ?? "it did not answer")
        }
        attempt.next = moment + min(Self.longestPause, 1 << UInt64(min(attempt.count - 1, 12))) * Self.second
        attempts[notice.number] = attempt
        guard isTold || isOver else { return }
        // Where core cannot be told now it brings the notice again, and the relying system hears of it twice.
        _ = try? await ask(.told(logout: notice.number, isDone: isTold))
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

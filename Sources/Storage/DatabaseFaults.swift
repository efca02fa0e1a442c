/// Faults for tests: what a disk may do around a commit.
///
/// Production passes none.
package struct DatabaseFaults: Sendable {
    let beforeCommit: @Sendable () throws -> Void
    let afterCommit: @Sendable () throws -> Void

    /// Where `beforeCommit` throws the commit fails and nothing is there; where `afterCommit` does, yet all is there.
    ///
    /// The caller is told the same in both: in doubt.
    package init(
        beforeCommit: @escaping @Sendable () throws -> Void = {},
        afterCommit: @escaping @Sendable () throws -> Void = {}
    ) {
        self.beforeCommit = beforeCommit
        self.afterCommit = afterCommit
    }
}

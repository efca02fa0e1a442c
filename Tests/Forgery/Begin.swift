// compiles
package import Audit

/// One use of a key begun under one intent.
package func begin(_ intent: consuming Intent) -> OpenUse { intent.begin() }

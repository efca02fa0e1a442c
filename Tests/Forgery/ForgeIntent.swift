// expect: initializer is inaccessible due to
package import Audit

/// An intent that is in no log.
package func forgeIntent() -> Intent { Intent() }

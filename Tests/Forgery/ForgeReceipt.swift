// expect: initializer is inaccessible due to
package import Audit

/// A receipt without an outcome.
package func forgeReceipt() -> Receipt { Receipt() }

// expect: initializer is inaccessible due to
package import Keys

/// A use of a key that no gate let begin.
package func forgeUseLease() -> UseLease { UseLease() }

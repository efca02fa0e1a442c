// expect: initializer is inaccessible due to
package import Policies

/// A permit that no rule gave.
package func forgePermit() -> Permit { Permit() }

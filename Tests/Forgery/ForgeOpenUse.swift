// expect: initializer is inaccessible due to
package import Audit

/// A use of a key that no intent stands for.
package func forgeOpenUse() -> OpenUse { OpenUse() }

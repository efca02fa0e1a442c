// expect: initializer is inaccessible due to
package import Signing

/// An answer whose signature nobody verified.
package func forgeAnswer() -> Answer { Answer() }

// expect: initializer is inaccessible due to
package import Identity

/// An activation without a token's window.
package func forgeActivation() -> Activation { Activation() }

// expect: initializer is inaccessible due to
package import Identity

/// A caller whom no token names.
package func forgeCaller() -> Caller { Caller() }

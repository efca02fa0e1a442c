// expect: initializer is inaccessible due to
package import Identity

/// An authority whose client certificate nobody saw.
package func forgeAuthorityCaller() -> AuthorityCaller { AuthorityCaller() }

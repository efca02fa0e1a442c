// expect: initializer is inaccessible due to
package import Keys

/// A value that no key made.
package func forgeSignatureValue() -> SignatureValue { SignatureValue() }

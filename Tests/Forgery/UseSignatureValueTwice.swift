// expect: consumed more than once
package import Keys

/// Two outcomes for one use of the key.
package func useTwice(_ value: consuming SignatureValue, _ use: (consuming SignatureValue) -> Void) {
    use(value)
    use(value)
}

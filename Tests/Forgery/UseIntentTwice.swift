// expect: consumed more than once
package import Audit

/// Two uses of the key under one intent.
package func useTwice(_ intent: consuming Intent, _ use: (consuming Intent) -> Void) {
    use(intent)
    use(intent)
}

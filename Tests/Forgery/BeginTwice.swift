// expect: consumed more than once
package import Audit

/// Two uses of a key begun under one intent.
package func beginTwice(_ intent: consuming Intent) {
    _ = intent.begin()
    _ = intent.begin()
}

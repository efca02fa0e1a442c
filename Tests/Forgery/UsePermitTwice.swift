// expect: consumed more than once
package import Policies

/// Two intents under one permit.
package func useTwice(_ permit: consuming Permit, _ use: (consuming Permit) -> Void) {
    use(permit)
    use(permit)
}

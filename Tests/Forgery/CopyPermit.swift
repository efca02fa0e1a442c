// expect: consumed more than once
package import Policies

/// One permit kept under two names.
package func keepTwice(_ permit: consuming Permit) {
    let first = permit
    let second = permit
    _ = consume first
    _ = consume second
}

// expect: does not conform to protocol 'Copyable'
package import Audit

/// An intent kept where it could be used again and again.
package struct Keeper: Sendable {
    let intents: [Intent]
}

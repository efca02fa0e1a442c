// compiles
package import Audit
package import Identity
package import Keys
package import Policies

/// Each ticket handed on once, as the chain does.
package func walk(
    _ caller: Caller, _ activation: Activation, _ permit: consuming Permit, _ intent: consuming Intent,
    _ value: consuming SignatureValue, _ use: (consuming Permit, consuming Intent, consuming SignatureValue) -> Receipt
) -> Receipt {
    use(permit, intent, value)
}

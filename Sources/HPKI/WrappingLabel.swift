/// What the wrapping keys of the token are called: ceremonies give the labels, and core looks for them.
package enum WrappingLabel {
    /// `CKA_LABEL` of the wrapping key of an epoch.
    package static func wrapping(_ epoch: Int64) -> String { "shirushi wrapping \(epoch)" }

    /// `CKA_LABEL` of the key that unwraps what an epoch's wrapping key wrapped, so that it can be wrapped anew.
    package static func rotation(_ epoch: Int64) -> String { "shirushi rotation \(epoch)" }
}

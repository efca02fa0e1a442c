// expect: initializer is inaccessible due to
package import Keys

/// A signature whose outcome nobody recorded.
package func forgeRecordedSignature() -> RecordedSignature { RecordedSignature() }

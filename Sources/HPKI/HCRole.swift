/// A health profession's qualification as certificates carry it (ISO 17090, codeDataFreeText of hcRole).
package struct HCRole: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// Takes a role's text exactly as the certificate has it; which texts count is configuration.
    package init(_ text: String) {
        description = text
    }

    package static let medicalDoctor = HCRole("Medical Doctor")
    package static let dentist = HCRole("Dentist")
    package static let pharmacist = HCRole("Pharmacist")
}

import CoreProtocol
import Foundation
import HPKI
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing
import Web

/// The description is written by hand; these hold it to the routes and bounds that there are.
@Suite struct OpenAPITests {
    @Test func `the description has just the routes that there are`() async throws {
        let paths = try #require(try await Self.document()["paths"] as? [String: [String: Any]])
        let methods = ["get", "put", "post", "delete", "patch", "head", "options"]
        let described = paths.flatMap { path, item in
            item.keys.filter(methods.contains).map { "\($0.uppercased()) \(path)" }
        }
        #expect(described.sorted() == RouteTable.registration.map { "\($0.method) \($0.path)" }.sorted())
    }

    @Test func `every reference leads somewhere and every part in a path is described`() async throws {
        let document = try await Self.document()
        for reference in Self.references(document) {
            var value: Any? = document
            for part in reference.split(separator: "/").dropFirst() { value = (value as? [String: Any])?[String(part)] }
            #expect(value != nil, "\(reference)")
        }
        #expect(Self.references(document).count > 50)
        for (path, item) in try #require(document["paths"] as? [String: [String: Any]]) {
            let parts = path.matches(of: /{([a-z]+)}/).map { String($0.output.1) }
            let described = (item["parameters"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
            #expect(parts == described, "\(path)")
        }
    }

    @Test func `its bounds and words are those of the code`() async throws {
        let document = try await Self.document()
        func at(_ path: String...) -> Any? {
            path.reduce(document as Any?) { value, part in
                if let index = Int(part), let array = value as? [Any] {
                    return array.indices.contains(index) ? array[index] : nil
                }
                return (value as? [String: Any])?[part]
            }
        }
        func schema(_ name: String, _ property: String) -> [String: Any] {
            at("components", "schemas", name, "properties", property) as? [String: Any] ?? [:]
        }
        #expect(schema("Holders", "holders")["maxItems"] as? Int == RegistrationLimits.holders)
        #expect(schema("Credentials", "credentials")["maxItems"] as? Int == RegistrationLimits.credentials)
        #expect(schema("ImportReport", "rows")["maxItems"] as? Int == RegistrationLimits.reportRows)
        #expect(schema("Import", "rows")["maxItems"] as? Int == RegistrationLimits.importRows)
        #expect(schema("HolderFields", "romajiName")["maxLength"] as? Int == RegistrationLimits.nameBytes)
        #expect(schema("HolderFields", "roles")["maxItems"] as? Int == RegistrationLimits.rolesOrNumbers)
        #expect(schema("RegisterNumber", "number")["maxLength"] as? Int == RegistrationLimits.wordBytes)
        let limits = [
            ("/ra/v1/holders", "1", RegistrationLimits.holders),
            ("/ra/v1/credentials", "2", RegistrationLimits.credentials),
            ("/ra/v1/imports/{import}/rows", "1", RegistrationLimits.reportRows),
        ]
        for (path, index, most) in limits {
            #expect(at("paths", path, "get", "parameters", index, "schema", "maximum") as? Int == most, "\(path)")
        }
        #expect(at("components", "schemas", "KeyType", "enum") as? [String] == KeyType.allCases.map(\.rawValue))
        #expect(schema("Credential", "state")["enum"] as? [String] == CredentialState.allCases.map(\.rawValue))
        let reasons = RevocationReason.allCases.map(\.name)
        #expect(schema("Credential", "reason")["enum"] as? [String] == reasons)
        #expect(
            at("components", "schemas", "Reason", "enum") as? [String] == reasons.filter { $0 != "removeFromCRL" })
    }

    @Test func `it is there for whoever came through TLS`() async throws {
        try await WebServer.before(.knowing).registration(nil).test(.router) { client in
            try await client.execute(uri: "/ra/v1/openapi.json", method: .get) { response in
                #expect(response.status == .ok)
                #expect(response.headers[.contentType] == "application/json")
            }
        }
    }

    private static func document() async throws -> [String: Any] {
        let body = try await WebServer.before(.knowing).registration([1]).test(.router) { client in
            try await client.execute(uri: "/ra/v1/openapi.json", method: .get) { Array(buffer: $0.body) }
        }
        return try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
    }

    private static func references(_ value: Any) -> [String] {
        if let array = value as? [Any] { return array.flatMap(references) }
        guard let object = value as? [String: Any] else { return [] }
        return object.flatMap { key, inner in
            if key == "$ref", let reference = inner as? String { return [reference] }
            return references(inner)
        }
    }
}

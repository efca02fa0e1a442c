// swift-tools-version: 6.2
import PackageDescription

/// One list of strict settings for every target of this package.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Third-party products, by the short name the tables below use.
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let jwtKit: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1: Target.Dependency = .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// A module of the product: what it may import of ours, and of others.
func module(_ name: String, _ ours: [String] = [], _ others: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: ours.map { .byName(name: $0) } + others, swiftSettings: strict)
}

/// Tests are compiled without optimisation, also beside a release build of what they test: it only cost time.
let unoptimised: [SwiftSetting] = [.unsafeFlags(["-Onone"], .when(configuration: .release))]

/// The tests of a module, in `Tests/<module>Tests`.
func tests(_ name: String, _ ours: [String] = [], _ others: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: ([name] + ours).map { .byName(name: $0) } + others,
        swiftSettings: strict + unoptimised
    )
}

let package = Package(
    name: "shirushi",
    products: [.executable(name: "shirushi", targets: ["shirushi"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // Words and the operating system.
        module("HPKI", [], [crypto]),
        .target(name: "CHost"),
        module("Host", ["HPKI", "CHost"]),

        // Tools: each isolates a format or a third-party library.
        module("YAML", [], [yams]),
        module("XML"),
        module("Certificates", ["HPKI"], [crypto, cryptoExtras]),
        module("JOSE", ["HPKI"], [jwtKit, crypto]),
        module("Passkeys", ["HPKI", "JOSE"], [crypto, cryptoExtras]),
        module("Transparency", ["HPKI"], [crypto]),
        .target(name: "CPKCS11"),
        module("PKCS11", ["HPKI", "CPKCS11"]),
        module("Storage", [], [grdb]),
        module("Outbound", [], [httpClient, nioCore, nioHTTP1, nioSSL]),

        // Shared by both processes.
        module("CoreProtocol", ["HPKI", "Host"]),
        module("Formats", ["HPKI", "Certificates", "XML"]),

        // Core: the chain of custody; imports run along it.
        module("Identity", ["HPKI", "JOSE", "Storage"]),
        .target(
            name: "Policies",
            dependencies: ["HPKI", "YAML", "Identity"],
            resources: [.embedInCode("Sets/signing.yaml"), .embedInCode("Sets/signing.tests.yaml")],
            swiftSettings: strict
        ),
        module("Audit", ["HPKI", "Host", "JOSE", "Transparency", "Storage", "Identity", "Policies"], [crypto]),
        module("AuditIndex", ["HPKI", "Host", "CoreProtocol", "Transparency", "Storage", "Audit"]),
        module("Keys", ["HPKI", "Host", "Audit", "Certificates", "PKCS11", "Storage"], [crypto, logging]),
        module(
            "Core",
            [
                "HPKI", "Host", "JOSE", "CoreProtocol", "Formats", "Certificates", "PKCS11", "Transparency", "Storage",
                "Identity", "Policies", "Audit", "AuditIndex", "Keys",
            ],
            [crypto, logging]
        ),

        // Front: hostile bytes.
        .target(
            name: "Validation",
            dependencies: ["HPKI", "XML", "YAML", "Certificates", "Formats"],
            resources: [.embedInCode("validation.yaml")],
            swiftSettings: strict
        ),
        module("Witness", ["HPKI", "Host", "Transparency", "Storage"]),
        module("Evidence", ["HPKI", "Host", "Outbound", "Certificates", "Formats", "Transparency"]),
        module(
            "Signing",
            ["HPKI", "Host", "CoreProtocol", "XML", "Certificates", "Formats", "Validation", "Evidence"]
        ),
        module("Platform", ["HPKI", "Host", "CoreProtocol", "JOSE"]),
        .target(
            name: "Web",
            dependencies: [
                "HPKI", "Host", "CoreProtocol", "Signing", "Platform", "Transparency", "Witness", hummingbird,
                hummingbirdCore, hummingbirdTLS, httpTypes,
                nioCore, nioTLS, nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1, nioSSL, mustache, lifecycle, logging,
            ],
            resources: [
                .embedInCode("RA/openapi.json"), .embedInCode("Pages/Assets"), .embedInCode("Pages/Templates"),
                .embedInCode("Console/Assets"), .embedInCode("Console/Templates"),
                .embedInCode("Console/Texts/ja.txt"), .embedInCode("Console/Texts/en.txt"),
                .embedInCode("Platform/Assets"), .embedInCode("Platform/Templates"), .embedInCode("Platform/Texts"),
                .embedInCode("Help/Texts"),
            ],
            swiftSettings: strict
        ),

        // Officers, envelopes, protocols and backups.
        module("Ceremony", ["HPKI", "Host"], [crypto, cryptoExtras]),

        // Development authorities: never reached by a production configuration.
        module("Development", ["HPKI", "Certificates", "JOSE"], [crypto, cryptoExtras]),

        .executableTarget(
            name: "shirushi",
            dependencies: [
                "HPKI", "Host", "YAML", "Certificates", "JOSE", "PKCS11", "Transparency", "Storage", "Outbound",
                "CoreProtocol",
                "Identity", "Policies", "Audit", "Keys", "Core", "Validation", "Evidence", "Signing", "Platform",
                "Witness",
                "Web", "Development", "Ceremony", arguments, lifecycle, logging,
            ],
            swiftSettings: strict
        ),

        // Tests.
        tests("HPKI"),
        tests("Host", ["HPKI"]),
        tests("YAML", ["HPKI"]),
        tests("XML", ["HPKI"]),
        tests("Certificates", ["HPKI", "Development", "Formats"], [crypto, cryptoExtras]),
        tests("Development", ["HPKI", "Certificates", "Formats"]),
        tests("Ceremony", ["HPKI", "Host"], [crypto]),
        tests("JOSE", ["HPKI"], [crypto, cryptoExtras]),
        tests("Passkeys", ["HPKI"], [crypto]),
        tests("PKCS11", ["HPKI", "CPKCS11"], [crypto, cryptoExtras]),
        tests("Storage"),
        tests("Outbound", [], [nioCore, nioPosix]),
        tests("Identity", ["HPKI", "JOSE", "Storage"]),
        tests("CoreProtocol", ["HPKI", "Host"]),
        tests("Formats", ["HPKI", "XML", "Certificates", "Development", "Validation"]),
        tests("Policies", ["HPKI", "YAML", "Identity"]),
        tests("Transparency", ["HPKI"]),
        tests("Audit", ["HPKI", "Host", "JOSE", "Transparency", "Storage", "Policies", "Identity"], [crypto]),
        tests("AuditIndex", ["HPKI", "Host", "CoreProtocol", "Transparency", "Storage", "Audit"]),
        tests(
            "Keys", ["HPKI", "Host", "Audit", "Certificates", "PKCS11", "Storage", "Development"], [logging]
        ),
        tests(
            "Core",
            [
                "HPKI", "Host", "JOSE", "CoreProtocol", "Formats", "Certificates", "PKCS11", "Storage", "Identity",
                "Policies", "Audit", "AuditIndex", "Keys", "Development",
            ],
            [logging]
        ),
        tests("Validation", ["HPKI", "XML", "YAML", "Certificates", "Formats", "Development"], [crypto]),
        tests("Witness", ["HPKI", "Host", "Transparency"]),
        tests(
            "Evidence", ["HPKI", "Host", "Outbound", "Certificates", "Formats", "Development"], [nioCore, nioPosix]
        ),
        .target(
            name: "Fuzz",
            dependencies: ["HPKI", "YAML", "XML", "Certificates", "Formats", "Validation"],
            path: "Tests/Fuzz/Bodies",
            swiftSettings: strict
        ),
        tests("Fuzz", ["HPKI", "XML", "Certificates", "Formats", "Validation", "Development"]),
        tests(
            "Signing",
            ["HPKI", "CoreProtocol", "Formats", "Certificates", "Validation", "Evidence", "Development"]
        ),
        tests("Platform", ["HPKI", "Host", "CoreProtocol", "JOSE"]),
        tests(
            "Web", ["HPKI", "Host", "CoreProtocol", "Signing", "Platform"],
            [
                hummingbird, hummingbirdTesting, httpTypes, nioCore, nioPosix, nioSSL, lifecycle, logging,
            ]
        ),
    ]
)

// libFuzzer and libxml2 are linked by `make fuzz` alone.
if Context.environment["SHIRUSHI_FUZZ"] != nil {
    package.targets += [
        .target(
            name: "CLibXML2",
            path: "Tests/LibXML2",
            cSettings: [.unsafeFlags(["-I/usr/include/libxml2"])],
            linkerSettings: [.linkedLibrary("xml2")]
        ),
        .executableTarget(
            name: "FuzzRunner",
            dependencies: ["Fuzz", "CLibXML2"],
            path: "Tests/Fuzz/Runner",
            swiftSettings: strict,
            // gold trips over the sanitiser's debugging information.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]
        ),
    ]
}

// `scripts/bench-audit` alone builds what measures a long log.
if Context.environment["SHIRUSHI_AUDIT_BENCH"] != nil {
    package.targets.append(
        .executableTarget(
            name: "AuditBench",
            dependencies: [
                "HPKI", "Host", "JOSE", "CoreProtocol", "Transparency", "Storage", "Identity", "Policies", "Audit",
                "AuditIndex",
            ],
            path: "Tests/bench/AuditBench",
            swiftSettings: strict
        ))
}

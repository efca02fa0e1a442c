import CoreProtocol
import Foundation
import HPKI
import HTTPTypes
import Host
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOSSL
import Testing
import Web

private let certificate: [UInt8] = [0x30, 0x03, 1, 2, 3]
private let json: HTTPFields = [.contentType: "application/json"]

@Suite(.timeLimit(.minutes(10))) struct RegistrationRoutesTests {
    @Test(arguments: RegistrationSample.all)
    func `core is told what was asked and by whom, and its answer is given`(sample: RegistrationSample) async throws {
        let core = FakeCore { _ in .registration(sample.reply) }
        try await WebServer.before(core).registration(certificate).test(.router) { client in
            let method = try #require(HTTPRequest.Method(sample.method))
            try await client.execute(
                uri: "/ra/v1/\(sample.path)", method: method, headers: sample.body == nil ? [:] : json,
                body: sample.body.map { ByteBuffer(string: $0) }
            ) { response in
                #expect(response.status.code == sample.status)
                #expect(response.headers[.contentType] == "application/json")
                #expect(String(buffer: response.body) == sample.answer)
            }
        }
        #expect(core.requests.count == 1)
        guard case .registration(let command)? = core.requests.first else { throw WrongRequest() }
        #expect(command.act == sample.act)
        #expect(command.party == .authority(certificate: certificate))
        #expect(command.requestID.utf8.count == 32)
        // What front tells is what core can read.
        let frame = RequestFrame(call: 1, request: .registration(command))
        #expect(try RequestFrame(frame.bytes) == frame)
    }

    @Test func `there is a sample of every route`() {
        let sampled = RegistrationSample.all.map { sample in
            let path = sample.path.prefix { $0 != "?" }.split(separator: "/").enumerated()
            let names = ["holders": "{holder}", "credentials": "{credential}", "imports": "{import}"]
            let name = names[String(sample.path.prefix { $0 != "/" })] ?? ""
            let parts = path.map { $0.offset == 1 ? name : String($0.element) }
            return "\(sample.method) /ra/v1/\(parts.joined(separator: "/"))"
        }
        let routes = RouteTable.registration.filter { $0.toStranger != nil }.map { "\($0.method) \($0.path)" }
        #expect(Set(sampled) == Set(routes))
    }

    @Test(arguments: RegistrationSample.all)
    func `whoever shows no certificate is told nothing and asks core nothing`(sample: RegistrationSample) async throws {
        let core = FakeCore { _ in .registration(sample.reply) }
        try await WebServer.before(core).registration(nil).test(.router) { client in
            var headers = jsonBearer
            headers[.contentLength] = nil
            try await client.execute(
                uri: "/ra/v1/\(sample.path)", method: try #require(HTTPRequest.Method(sample.method)), headers: headers,
                body: sample.body.map { ByteBuffer(string: $0) }
            ) { _ = try $0.problem(.unknownAuthority) }
        }
        #expect(core.requests.isEmpty)
    }

    @Test(arguments: [
        Failure.Kind.unknownAuthority, .notFound, .registryConflict, .wrongState, .certificateRefused,
        .keyTypeNotOffered, .revocationListRefused, .keyUnavailable,
    ])
    func `what core refuses is a problem, with its reasons`(kind: Failure.Kind) async throws {
        let core = FakeCore.failing(Failure(kind, "No.", reasons: ["wrong-policy", "unknown-role"]))
        try await WebServer.before(core).registration(certificate).test(.router) { client in
            try await client.execute(
                uri: "/ra/v1/credentials/a/certificate", method: .post, headers: json,
                body: ByteBuffer(string: "{\"certificate\":\"MAA=\"}")
            ) { response in
                let problem = try response.problem(kind)
                #expect(problem.reasons == ["wrong-policy", "unknown-role"])
            }
        }
        #expect(core.requests.count == 1)
    }

    @Test func `a certification request is given as it is to whoever asks for it`() async throws {
        let core = FakeCore { _ in .registration(.certificationRequest([0x30, 0])) }
        try await WebServer.before(core).registration(certificate).test(.router) { client in
            for (accept, isDER) in [
                ("application/pkcs10", true), ("application/json;q=0.5, Application/PKCS10 ; q=1", true),
                ("*/*", false), ("application/json", false), ("application/pkcs10;q=0", false),
            ] {
                try await client.execute(
                    uri: "/ra/v1/credentials/a/request", method: .get, headers: [.accept: accept]
                ) { response in
                    #expect(response.status == .ok)
                    #expect(response.headers[.contentType] == (isDER ? "application/pkcs10" : "application/json"))
                    #expect((Array(buffer: response.body) == [0x30, 0]) == isDER)
                }
            }
        }
    }

    @Test func `a key is waited for longer than other answers`() async throws {
        let core = FakeCore { _ in .registration(.credential(RegistrationSample.facts)) }
        try await WebServer.before(core).registration(certificate).test(.router) { client in
            for (method, seconds) in [(.put, 30), (.get, 10)] as [(HTTPRequest.Method, UInt64)] {
                let before = Monotonic.now
                try await client.execute(
                    uri: "/ra/v1/credentials/a", method: method, headers: method == .put ? json : [:],
                    body: method == .put ? ByteBuffer(string: "{\"holder\":\"a\"}") : nil
                ) { #expect($0.status == .ok) }
                // As much more as a busy machine may take over the request itself.
                #expect((seconds * 1_000_000_000...(seconds + 15) * 1_000_000_000).contains(core.deadline - before))
            }
        }
    }

    @Test func `an authority has its own share of the requests under way`() async throws {
        var limits = WebSettings.Limits()
        limits.perClient = 1
        let core = FakeCore { _ in .registration(.holders([], next: nil)) }
        let web = try WebServer.before(core, limits: limits)
        core.hold()
        try await web.registration(certificate).test(.router) { mine in
            try await web.registration([9]).test(.router) { other in
                async let first = mine.execute(uri: "/ra/v1/holders", method: .get) { $0.status }
                while core.requests.isEmpty { try await Task.sleep(for: .milliseconds(2)) }
                try await mine.execute(uri: "/ra/v1/holders", method: .get) { _ = try $0.problem(.tooManyRequests) }
                async let second = other.execute(uri: "/ra/v1/holders", method: .get) { $0.status }
                while core.requests.count < 2 { try await Task.sleep(for: .milliseconds(2)) }
                core.release()
                #expect(try await first == .ok)
                #expect(try await second == .ok)
            }
        }
    }

    @Test func `the certificate is the one that the client showed in TLS`() async throws {
        let core = FakeCore { _ in .registration(.holders([], next: nil)) }
        try await LiveServer.run(core, requiresCertificate: true, groups: [.ra]) { server in
            let shown = try NIOSSLCertificate.fromPEMFile(server.files.certificate)
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.certificateVerification = .none
            tls.certificateChain = shown.map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: server.files.key, format: .pem))
            let channel = try await server.connect(to: server.port, tls: NIOSSLContext(configuration: tls))
            let answer = try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(
                    ByteBuffer(string: "GET /ra/v1/holders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                )
                var text = ""
                for try await buffer in inbound { text += String(buffer: buffer) }
                return text
            }
            #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("{\"holders\":[]}"), "\(answer)")
            guard case .registration(let command)? = core.requests.first else { throw WrongRequest() }
            let bytes = try #require(shown.first).toDERBytes()
            #expect(command.party == .authority(certificate: bytes))
        }
    }

    @Test func `the door is shut without mutual TLS, and is no door of the API for tokens`() {
        func faults(_ certificate: WebSettings.ClientCertificate, _ groups: Set<WebSettings.RouteGroup>) -> [String] {
            let listener = WebSettings.Listener(
                name: "ra", address: "127.0.0.1", port: 1, certificateChain: "c", key: "k",
                clientCertificate: certificate, groups: groups
            )
            return WebSettings(listeners: [listener], publicOrigin: "https://localhost").faults
        }
        #expect(faults(.require(authorities: "a"), [.ra, .health]).isEmpty)
        #expect(faults(.none, [.ra]) == ["listeners[0].clientCertificate: the group ra needs require."])
        #expect(faults(.request(authorities: "a"), [.ra]).count == 1)
        #expect(
            faults(.require(authorities: "a"), [.ra, .api])
                == ["listeners[0].groups: ra and api need listeners of their own."])
    }
}

struct WrongRequest: Error {}

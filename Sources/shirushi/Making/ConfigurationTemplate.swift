import Core
import Development
import HPKI
import Host

/// The configuration files that `init` writes.
enum ConfigurationTemplate {
    /// The name of the development issuer.
    static let developmentIssuer = "https://localhost:8443/development-issuer"

    /// Where the development time-stamping authority listens unless the file says otherwise.
    private static let developmentPort = 8445

    /// A development instance: everything on loopback, SoftHSM, its own issuer.
    static func development(
        module: String, custody: RegistrationSettings.Mode, origin: String
    ) -> String {
        """
        # A development instance of Shirushi. docs/configuration.md explains every key.
        kind: development
        origin: \(origin)
        publicOrigin: https://localhost:8443
        listeners:
          - name: main
            address: 127.0.0.1
            port: 8443
            hostNames: [localhost, 127.0.0.1]
            certificate: development/tls/server.pem
            key: development/tls/server.key
            clientCertificate: none
            groups: [api, health, console, platform]
          - name: ra
            address: 127.0.0.1
            port: 8444
            hostNames: [localhost, 127.0.0.1]
            certificate: development/tls/server.pem
            key: development/tls/server.key
            clientCertificate: require
            authorities: development/tls/ca.pem
            groups: [ra]
          - name: hpki
            address: 127.0.0.1
            port: 8447
            hostNames: [hpki.localhost]
            certificate: development/tls/server.pem
            key: development/tls/server.key
            clientCertificate: ask
            groups: [card-hpki]
          - name: jpki
            address: 127.0.0.1
            port: 8448
            hostNames: [jpki.localhost]
            certificate: development/tls/server.pem
            key: development/tls/server.key
            clientCertificate: ask
            groups: [card-jpki]
        metrics:
          address: 127.0.0.1
          port: 9443
        hsm:
          module: \(module)
          token: shirushi
          pinFile: secrets/hsm.pin
          sessions: 2
          timeoutSeconds: 10
          acceptSoftwareToken: true
          environment:
            SOFTHSM2_CONF: hsm/softhsm2.conf
        issuers:
          - issuer: \(developmentIssuer)
            audience: https://localhost:8443
            jwks: development/issuer/jwks.json
            algorithms: [ES256]
            holders: [\(DevelopmentInstance.holders.map(\.id).joined(separator: ", "))]
            registeredHolders: true
            development: true
        clients:
          - id: demo-hospital
            facility: "1319999999"
            kind: medical
          - id: demo-pharmacy
            facility: "1349999999"
            kind: pharmacy
        authorities:
        \(authorities)
        keys:
          mode: \(custody.rawValue)
          offered: [rsa-2048, rsa-3072, rsa-4096, p-256, p-384]
          spares: 0
          cache:
            size: 512
            lifetime: 5m
        signingWindow: 18h
        clockSkew: 60s
        policy: policies/signing.yaml
        certificates:
          policies: ["1.2.392.100495.1.5.1.1.0.1"]
          sources: []
          poll: 1h
          alarm: 36h
        timestamps:
          authorities:
            - name: development
              url: http://127.0.0.1:\(developmentPort)/timestamps
              policies: ["\(DevelopmentTimeStampAuthority.policy)"]
              timeoutSeconds: 5
          allowPrivateAddresses: true
        revocation:
          prefixes: []
          allowPrivateAddresses: false
        platform:
          issuer: https://localhost:8443
          audience: https://localhost:8443
          clients: platform/clients
          allowPrivateAddresses: true
          logoutAuthorities: development/tls/ca.pem
          addressPerSecond: 200
          clientPerSecond: 500
          hpki:
            origin: https://hpki.localhost:8447
          jpki:
            origin: https://jpki.localhost:8448
            successions: development/jpki-successions
        console:
          signIn: development
        development:
          port: \(developmentPort)
        audit:
          retention:
            signatures: 10
            registration: 10
            refusals: 10
            inspections: 10
            operations: 10
            authentications: 10
        limits:
          bodyBytes: 8388608
          headerCount: 64
          requestSeconds: 10
          queue: 256
          perClient: 64

        """
    }

    /// The three development authorities, with their client certificates and issuing certificates.
    private static var authorities: String {
        DevelopmentPKI.Authority.allCases.map { authority in
            """
              - name: \(authority.rawValue)
                clientCertificates: [development/authorities/\(authority.rawValue).pem]
                issuers: [trust/intermediates/dev-\(authority.rawValue).pem]
                roles: [Medical Doctor, Dentist, Pharmacist, General Nurse, Director of Hospital, Director of Clinic]
            """
        }.joined(separator: "\n")
    }

    /// A production instance, to be completed by the operator.
    static let production = """
        # An instance of Shirushi. docs/configuration.md explains every key; what stands in <angle brackets> is yours to
        # fill in, and `shirushi serve --check` says what is still missing.
        kind: production
        origin: <the name of this instance's audit log, such as shirushi.example.jp/2026>
        publicOrigin: https://<host name>
        listeners:
          - name: main
            address: 0.0.0.0
            port: 443
            hostNames: [<host name>]
            certificate: /etc/shirushi/tls/server.pem
            key: /etc/shirushi/tls/server.key
            clientCertificate: none
            groups: [api, health]
        metrics:
          address: 127.0.0.1
          port: 9443
        hsm:
          module: <path of the HSM's PKCS#11 module>
          token: <label of the token>
          pinFile: secrets/hsm.pin
          sessions: 8
          timeoutSeconds: 10
        issuers:
          - issuer: <iss of the tokens>
            audience: <aud of the tokens>
            jwks: https://<issuer>/jwks
            algorithms: [ES256]
            holders: []
        clients: []
        authorities: []
        keys:
          mode: wrapped
          offered: [rsa-2048]
          spares: 20
        signingWindow: 18h
        clockSkew: 60s
        policy: policies/signing.yaml
        certificates:
          policies: ["1.2.392.100495.1.5.1.1.0.1"]
          sources: [http://cert.medis.or.jp/sign/crl-sign2.crl]
          poll: 1h
          alarm: 36h
        timestamps:
          authorities: []
        revocation:
          prefixes: []
        audit:
          retention:
            signatures: 10
            registration: 10
            refusals: 10
            inspections: 10
            operations: 10
            authentications: 10
        clock:
          requireSynchronised: true

        """
}

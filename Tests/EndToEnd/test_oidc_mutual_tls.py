"""Clients that prove themselves by TLS certificates (RFC 8705), and tokens that only their certificate can use."""

import hashlib
from datetime import datetime, timedelta, timezone

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import cards
import documents
from instance import Instance, free_ports
from strict_client import Client, error_of
from tokens import b64url, decode
from visitor import Visitor

SIGN = "/v1/prescriptions"
OF_CLIENTS = ("token", "revoke", "introspect", "userinfo", "pushed_authorize")


class Certificate:
    """A certificate with its key; signed by `issuer`, else by itself."""

    def __init__(self, folder, file, subject, issuer=None, authority=False):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
        now = datetime.now(timezone.utc)
        self.x509 = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name if issuer else self.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(authority, None), True)
            .sign(issuer.key if issuer else self.key, hashes.SHA256())
        )
        folder.mkdir(parents=True, exist_ok=True)
        self.path, key = folder / f"{file}.pem", folder / f"{file}.key"
        self.path.write_bytes(self.x509.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8
        key.write_bytes(self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        key.chmod(0o600)
        self.pair = str(self.path), str(key)

    @property
    def digest(self):
        return hashlib.sha256(self.x509.public_bytes(serialization.Encoding.DER)).digest()


def of(common_name, organization="Clinic"):
    return [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common_name)]


class TLSClient(Client):
    """A client whose requests go to the listener that asks for certificates, with the one it has."""

    certificate = None
    port = None

    @property
    def origin(self):
        return f"https://localhost:{self.port}"

    def endpoint(self, name):
        return f"{self.origin}/oauth2/{name}" if name in OF_CLIENTS else super().endpoint(name)

    def post(self, endpoint, form, proof=True, certificate="own", port=None):
        own = self.certificate if certificate == "own" else certificate
        if self.dpop:
            return super().post(endpoint, form, proof)
        session = self.instance.session()
        session.cert = own.pair if own else None
        url = f"https://localhost:{port or self.port}/oauth2/{endpoint}"
        return session.post(url, data=form, timeout=30)


@pytest.fixture(scope="module")
def world(tmp_path_factory, shim):
    """An instance with a listener that takes any certificate, and one that takes those of an authority."""
    folder = tmp_path_factory.mktemp("mutual")
    instance = Instance(folder / "home", shim=shim)
    instance.ask, instance.request_port = free_ports(2)
    # Front may read what is below `platform`.
    place = instance.home / "platform"
    instance.clients_ca = Certificate(place, "clients-authority", of("Clients' authority", "CA"), authority=True)
    made = {
        name: Certificate(folder / "clients", name, subject, issuer)
        for name, subject, issuer in [
            ("self-signed", of("e2e-self-signed"), None),
            ("same-name", of("e2e-self-signed"), None),
            ("issued", of("e2e-issued"), instance.clients_ca),
            ("renewed", of("e2e-issued"), instance.clients_ca),
            ("neighbour", of("e2e-neighbour"), instance.clients_ca),
            # One attribute that looks like the two of the registered name where nobody escapes it.
            ("composed", [(NameOID.COMMON_NAME, "e2e-issued,O=Clinic")], instance.clients_ca),
        ]
    }
    instance.made = made

    def change(settings):
        main = next(each for each in settings["listeners"] if each["name"] == "main")
        files = {name: main[name] for name in ("certificate", "key")}
        for name, port, more in [
            ("mutual", instance.ask, {"clientCertificate": "ask"}),
            (
                "trusted",
                instance.request_port,
                {"clientCertificate": "request", "authorities": str(instance.clients_ca.path)},
            ),
        ]:
            place = {"name": name, "address": "127.0.0.1", "port": port, "hostNames": ["localhost"]}
            settings["listeners"].append({**place, **files, **more, "groups": ["platform", "api"]})

    instance.configure(change)
    fine = {"dpop": False}
    digests = [made["self-signed"].digest.hex()]
    instance.by_digest = TLSClient(
        instance, "e2e-self-signed", "self_signed_tls_client_auth", certificates=digests, **fine
    ).register()
    instance.by_digest.certificate, instance.by_digest.port = made["self-signed"], instance.ask
    instance.by_name = TLSClient(
        instance, "e2e-issued", "tls_client_auth", subjectDN="CN=e2e-issued,O=Clinic", **fine
    ).register()
    instance.by_name.certificate, instance.by_name.port = made["issued"], instance.request_port
    instance.by_key = TLSClient(instance, "e2e-key").register()
    instance.by_key.port = instance.ask
    try:
        yield instance.start()
    finally:
        instance.kill()


@pytest.fixture
def visitor(world):
    return Visitor(world, cards.development(world, "doctor-1", "hpki"))


def code(client, visitor):
    return client.code(visitor.login(client.authorization(acr_values="hpki-card"), until=client.is_redirect))


def tokens(client, visitor):
    answer = client.redeem_by_hand(code(client, visitor))
    assert answer.status_code == 200, answer.text
    return answer.json()


def sign(world, token, certificate, port, scheme="Bearer"):
    session = world.session()
    session.cert = certificate.pair if certificate else None
    headers = {"Authorization": f"{scheme} {token}"}
    return session.post(f"https://localhost:{port}{SIGN}", json=documents.prescribing(), headers=headers, timeout=30)


def test_the_metadata_name_the_host_that_asks_for_certificates(world):
    """RFC 8705 §3.3, §5; what people use stays at the issuer."""
    metadata = world.by_digest.metadata
    aliases = metadata["mtls_endpoint_aliases"]
    assert aliases["token_endpoint"] == f"https://localhost:{world.ask}/oauth2/token"
    assert set(aliases) == {
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "userinfo_endpoint",
        "pushed_authorization_request_endpoint",
    }
    assert metadata["tls_client_certificate_bound_access_tokens"] is True
    assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(metadata["token_endpoint_auth_methods_supported"])
    assert metadata["token_endpoint"].startswith(world.url) and metadata["authorization_endpoint"].startswith(world.url)
    for path in ("/oauth2/authorize", "/login", "/sessions", "/oauth2/logout"):
        assert world.session().get(f"https://localhost:{world.ask}{path}", timeout=30).status_code == 404, path


@pytest.mark.parametrize("name", ["by_digest", "by_name"])
def test_tokens_are_bound_to_the_client_s_certificate(world, visitor, name):
    """RFC 8705 §3: whoever copies the token cannot use it."""
    client = getattr(world, name)
    answer = tokens(client, visitor)
    access = answer["access_token"]
    assert answer["token_type"] == "Bearer"
    assert decode(access)[1]["cnf"] == {"x5t#S256": b64url(client.certificate.digest)}
    documents.document_of(sign(world, access, client.certificate, client.port))
    before = len(world.signs())
    neighbour = world.made["neighbour"]
    for refused in (
        sign(world, access, None, client.port),
        sign(world, access, neighbour, client.port),
        sign(world, access, None, world.port),
        sign(world, access, client.certificate, world.port),
        sign(world, access, client.certificate, client.port, "DPoP"),
    ):
        assert refused.status_code == 401, refused.text
    assert len(world.signs()) == before, "a key was used"


def test_the_signing_service_that_asks_for_any_certificate_takes_the_token_s_own(world, visitor):
    """What the certificate is worth was judged at the token endpoint: here it is compared alone."""
    access = tokens(world.by_name, visitor)["access_token"]
    documents.document_of(sign(world, access, world.made["issued"], world.ask))
    assert sign(world, access, world.made["renewed"], world.ask).status_code == 401, "another of the same name"


def test_refreshing_userinfo_and_introspection_need_the_certificate(world, visitor):
    client = world.by_digest
    answer = tokens(client, visitor)
    session = client.instance.session()
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert session.get(client.endpoint("userinfo"), headers=headers, timeout=30).status_code == 401
    session = client.instance.session()
    session.cert = client.certificate.pair
    assert session.get(client.endpoint("userinfo"), headers=headers, timeout=30).json()["sub"] == "doctor-1"
    known = client.post("introspect", {"token": answer["access_token"], "client_id": client.name}).json()
    assert known["active"] is True and known["cnf"] == {"x5t#S256": b64url(client.certificate.digest)}
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "client_id": client.name}
    for wrong in (None, world.made["same-name"]):
        refused = client.post("token", form, certificate=wrong)
        assert refused.status_code == 401 and error_of(refused) == "invalid_client", refused.text
    assert client.post("token", form).status_code == 200


def test_a_renewed_certificate_does_not_carry_old_tokens_on(world, visitor):
    """RFC 8705 §4: the refresh token of a confidential client follows the client, its binding is ours."""
    client = world.by_name
    answer = tokens(client, visitor)
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "client_id": client.name}
    refused = client.post("token", form, certificate=world.made["renewed"])
    assert refused.status_code == 400, refused.text
    assert client.post("token", form).status_code == 200, "a refused attempt used the token up"


def test_who_shows_no_certificate_or_another_is_not_the_client(world):
    client = world.by_digest
    form = {**client.parameters(), "client_id": client.name}
    for certificate in (None, world.made["same-name"], world.made["issued"]):
        refused = client.post("pushed_authorize", form, certificate=certificate)
        assert refused.status_code == 401 and error_of(refused) == "invalid_client", refused.text
    at_the_issuer = client.post("pushed_authorize", form, port=world.port)
    assert at_the_issuer.status_code == 401 and error_of(at_the_issuer) == "invalid_client", "nobody asked for it there"
    assert client.post("pushed_authorize", form).status_code == 201


def test_a_name_counts_only_where_an_authority_vouches_for_it(world):
    client = world.by_name
    form = {**client.parameters(), "client_id": client.name}
    assert client.post("pushed_authorize", form).status_code == 201
    assert client.post("pushed_authorize", form, certificate=world.made["renewed"]).status_code == 201
    for certificate in (None, world.made["neighbour"], world.made["composed"]):
        refused = client.post("pushed_authorize", form, certificate=certificate)
        assert refused.status_code == 401 and error_of(refused) == "invalid_client", refused.text
    unverified = client.post("pushed_authorize", form, port=world.ask)
    assert unverified.status_code == 401 and error_of(unverified) == "invalid_client", "any is taken there"


def test_a_stranger_s_certificate_does_not_get_through_tls(world, tmp_path):
    client = world.by_name
    stranger = Certificate(tmp_path, "stranger", of("Clients' authority", "CA"), authority=True)
    forged = Certificate(tmp_path, "forged", of("e2e-issued"), stranger)
    with pytest.raises(requests.RequestException):
        client.post("pushed_authorize", {**client.parameters(), "client_id": client.name}, certificate=forged)


def test_a_client_with_a_key_may_use_that_host_too(world, visitor):
    """Its proofs name the address that it asks at (RFC 9449 §4.3)."""
    client = world.by_key
    answer = client.redeem_by_hand(code(client, visitor))
    assert answer.status_code == 200 and answer.json()["token_type"] == "DPoP", answer.text
    elsewhere = client.dpop.proof("POST", f"{world.url}/oauth2/token")
    refused = client.refresh_by_hand(answer.json()["refresh_token"], proof=elsewhere)
    assert refused.status_code == 400 and error_of(refused) == "invalid_dpop_proof", refused.text

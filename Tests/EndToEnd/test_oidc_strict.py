"""The strict profile by authlib: PAR, private_key_jwt, DPoP; tokens used for signing, refreshed, looked at, revoked."""

import time

import pytest
from joserfc.jwk import ECKey

import cards
import contract
import documents
from strict_client import OAuthError, error_of
from tokens import decode
from visitor import Visitor

SIGN = "/v1/prescriptions"
LONG_ENOUGH = 15


@pytest.fixture
def client(platform):
    return platform.strict


@pytest.fixture
def visitor(platform):
    return Visitor(platform, cards.development(platform, "doctor-1", "hpki"))


@pytest.fixture
def tokens(client, visitor):
    return client.login(visitor, acr_values="hpki-card")


def sign(tokens, **more):
    return tokens.ask("POST", SIGN, documents.prescribing(), **more)


def sign_with(tokens, proof, scheme="DPoP"):
    """The request to sign with this proof, whatever it is; sent once, with the nonce known by now."""
    headers = {"Authorization": f"{scheme} {tokens.access}", **({"DPoP": proof} if proof is not None else {})}
    return tokens.client.instance.post(SIGN, documents.prescribing(), headers=headers)


def leave(visitor, tokens):
    """Logs out at the platform as a relying system asks for it."""
    page = visitor.open(f"{tokens.client.endpoint('logout')}?id_token_hint={tokens.id_token}")
    assert page.status == 200, page.text
    return page


def test_the_metadata_say_what_there_is(platform, client):
    """T3, T9: both documents, of the issuer's own address."""
    metadata = client.metadata
    assert platform.get("/.well-known/openid-configuration").json() == metadata
    assert metadata["issuer"] == platform.url
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["backchannel_logout_supported"] is True
    assert {"hpki-card", "jpki-card"} <= set(metadata["acr_values_supported"])
    assert not {"implicit", "password", "client_credentials"} & set(metadata["grant_types_supported"])
    assert not {"client_secret_basic", "client_secret_post"} & set(metadata["token_endpoint_auth_methods_supported"])
    for name, value in metadata.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert value.startswith(platform.url + "/"), name


def test_the_published_keys_are_public(platform):
    keys = platform.get("/oauth2/jwks").json()["keys"]
    assert keys and all(key["kty"] == "EC" and key["kid"] and "d" not in key for key in keys)


@pytest.mark.parametrize("kind", ["hpki", "jpki"])
def test_tokens_tell_who_when_and_how(platform, client, kind):
    """T8, L4, L5: RFC 9068 access token and ID token; authlib has checked nonce, at_hash, iss and aud."""
    tokens = platform.card_login("doctor-1", kind)
    assert tokens.type == "DPoP"
    access = tokens.claims
    now = int(time.time())
    assert access["iss"] == platform.url and access["sub"] == "doctor-1" and access["client_id"] == client.name
    assert access["aud"] in (platform.audience, [platform.audience])
    assert access["acr"] == contract.ACR[kind] and set(access["amr"]) == contract.AMR
    assert access["cnf"] == {"jkt": client.dpop.thumbprint}
    assert now - 60 <= access["auth_time"] <= access["iat"] <= now + 1
    assert access["exp"] - access["iat"] <= contract.ACCESS_SECONDS
    assert access["exp"] <= access["auth_time"] + contract.SESSION_SECONDS
    assert access["roles"] == ["Medical Doctor"] and access["attested_by"] == "front"
    assert {"issuer_key_id", "not_after"} <= access["certificate"].keys()
    serial = cards.development(platform, "doctor-1", kind).x509.serial_number
    assert str(serial) not in str(access) and f"{serial:x}" not in str(access).lower()
    for name in ("sub", "acr", "amr", "auth_time", "sid"):
        assert tokens.identity[name] == access[name]
    assert tokens.identity["azp"] == client.name


def test_a_signature_by_a_bound_token(tokens, nothing_but_one):
    """L8: the token and a proof are enough; no PIN for the signature."""
    documents.document_of(sign(tokens))
    assert tokens.client.dpop.nonces, "the server gave no nonce"


@pytest.fixture
def nothing_but_one(platform):
    before = len(platform.signs())
    yield
    assert len(platform.signs()) == before + 1


class TestProofs:
    """A stolen token is worth nothing."""

    @pytest.fixture(autouse=True)
    def nothing_signed(self, platform, tokens):
        documents.document_of(sign(tokens))  # It is good, and its nonce is known.
        before = len(platform.signs())
        yield
        assert len(platform.signs()) == before, "a key was used"

    def refuse(self, answer):
        assert answer.status_code == 401, answer.text
        assert "DPoP" in answer.headers["WWW-Authenticate"], answer.headers

    def url(self, tokens):
        return tokens.client.instance.url + SIGN

    def test_none(self, tokens):
        self.refuse(sign_with(tokens, None))

    def test_as_a_bearer_token(self, tokens):
        assert sign_with(tokens, None, "Bearer").status_code == 401
        proof = tokens.client.dpop.proof("POST", self.url(tokens), tokens.access)
        assert sign_with(tokens, proof, "Bearer").status_code == 401

    def test_of_another_key(self, tokens):
        stranger = ECKey.generate_key("P-256")
        head = {"jwk": stranger.as_dict(private=False)}
        proof = tokens.client.dpop.proof("POST", self.url(tokens), tokens.access, head, stranger)
        self.refuse(sign_with(tokens, proof))

    def test_replayed(self, tokens):
        proof = tokens.client.dpop.proof("POST", self.url(tokens), tokens.access)
        # Its first use is good, though there is nothing to sign.
        headers = {"Authorization": f"DPoP {tokens.access}", "DPoP": proof}
        first = tokens.client.instance.post(SIGN, {"csv": "no base64"}, headers=headers)
        assert first.status_code == 400, first.text
        self.refuse(sign_with(tokens, proof))

    @pytest.mark.parametrize(
        "changed",
        [
            {"htm": "GET"},
            {"htu": "https://elsewhere.example/v1/prescriptions"},
            {"ath": "A" * 43},
            {"iat": 1},
            {"iat": 2**40},
            {"nonce": "of-somebody-else"},
            {"without": ("ath",)},
            {"without": ("jti",)},
            {"without": ("nonce",)},
            {"header": {"typ": "JWT"}},
            {"header": {"jwk": "private"}},
        ],
        ids=str,
    )
    def test_with_a_fault(self, tokens, changed):
        changed = dict(changed)
        if changed.get("header") == {"jwk": "private"}:
            changed["header"] = {"jwk": tokens.client.dpop.key.as_dict(private=True)}
        proof = tokens.client.dpop.proof("POST", self.url(tokens), tokens.access, **changed)
        self.refuse(sign_with(tokens, proof))

    def test_twice_in_one_request(self, tokens):
        url = self.url(tokens)
        proof = ", ".join(tokens.client.dpop.proof("POST", url, tokens.access) for _ in range(2))
        self.refuse(sign_with(tokens, proof))


def test_a_logout_ends_the_token_within_seconds(tokens, visitor, client):
    """O1: at the signing service, at userinfo, at introspection, and for the refresh token."""
    documents.document_of(sign(tokens))
    leave(visitor, tokens)
    deadline = time.monotonic() + LONG_ENOUGH
    while (answer := sign(tokens)).status_code != 401:
        assert time.monotonic() < deadline, "the signing service still takes the token"
        time.sleep(0.2)
    assert answer.json()["detail"]
    assert client.introspect(tokens.access) == {"active": False}
    assert tokens.ask("GET", "/oauth2/userinfo").status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        tokens.refresh()


def test_refreshing_never_moves_the_window(tokens):
    """L7, X8: the time of authentication stays, and nothing lasts beyond 18 hours from it."""
    previous = tokens
    for _ in range(3):
        time.sleep(1.05)
        refreshed = previous.refresh()
        assert refreshed.refresh_token != previous.refresh_token and refreshed.access != previous.access
        for name in ("auth_time", "sid", "sub", "acr", "cnf", "client_id"):
            assert refreshed.claims[name] == tokens.claims[name], name
        assert refreshed.claims["exp"] <= tokens.claims["auth_time"] + contract.SESSION_SECONDS
        previous = refreshed
    documents.document_of(sign(previous))
    ends = tokens.client.introspect(previous.refresh_token)
    assert ends["active"] and ends["exp"] <= tokens.claims["auth_time"] + contract.SESSION_SECONDS


def test_a_refresh_token_needs_its_client_and_its_key(platform, tokens, client):
    other = platform.other.refresh_by_hand(tokens.refresh_token)
    assert other.status_code == 400 and error_of(other) == "invalid_grant"
    stranger = type(client.dpop)()
    stranger.nonces = client.dpop.nonces
    answer = client.refresh_by_hand(tokens.refresh_token, stranger.proof("POST", client.endpoint("token")))
    assert answer.status_code == 400, answer.text
    assert tokens.refresh().claims["sub"] == "doctor-1", "a stranger's attempt used the token up"


def test_introspection_tells_the_client_what_its_token_is(platform, tokens, client):
    found = client.introspect(tokens.access)
    assert found["active"] is True
    for name in ("sub", "acr", "sid", "client_id", "cnf", "exp", "auth_time"):
        assert found[name] == tokens.claims[name], name
    assert client.introspect("no-token") == {"active": False}
    answer = platform.session().post(client.endpoint("introspect"), data={"token": tokens.access}, timeout=30)
    assert answer.status_code == 401 and error_of(answer) == "invalid_client"


def test_a_revoked_token_is_refused(tokens, client):
    """L9."""
    documents.document_of(sign(tokens))
    tokens.revoke()
    with pytest.raises(OAuthError, match="invalid_grant"):
        tokens.refresh()
    deadline = time.monotonic() + LONG_ENOUGH
    while sign(tokens).status_code != 401:
        assert time.monotonic() < deadline, "the access token of the revoked grant still signs"
        time.sleep(0.2)
    tokens.revoke("a-token-of-nobody")  # RFC 7009 §2.2: no error


def test_another_client_cannot_revoke(platform, tokens):
    platform.other.post("revoke", {"token": tokens.refresh_token, **platform.other.credentials()})
    assert tokens.refresh().claims["sub"] == "doctor-1"


def test_userinfo_is_bound_as_the_token_is(platform, tokens):
    """T8."""
    found = tokens.ask("GET", "/oauth2/userinfo")
    assert found.status_code == 200 and found.json()["sub"] == "doctor-1" and found.json()["name"]
    bare = platform.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {tokens.access}"})
    assert bare.status_code == 401 and bare.headers["WWW-Authenticate"]


def test_a_signed_request_object_is_taken(client, visitor):
    """JAR (RFC 9101) within PAR."""
    answer = client.push({"client_id": client.name, "request": client.request_object(acr_values="hpki-card")})
    assert answer.status_code == 201, answer.text
    address = client.address({"client_id": client.name, "request_uri": answer.json()["request_uri"]})
    assert client.redeem(client.code(visitor.login(address, until=client.is_redirect))).claims["sub"] == "doctor-1"


def test_a_local_adapter_uses_the_port_that_is_free(platform, visitor):
    """RFC 8252 §7.3: a public client on loopback, bound by DPoP all the same."""
    adapter = platform.adapter
    for redirect in ("http://127.0.0.1:3000/callback", "http://127.0.0.1:49152/callback"):
        page = visitor.login(
            adapter.authorization(redirect_uri=redirect, acr_values="hpki-card"), until=lambda u: u.startswith(redirect)
        )
        assert page.url.startswith(redirect + "?") and "code" in page.query, page.url + page.text[:500]
        answer = adapter.redeem_by_hand(page.query["code"], redirect_uri=redirect)
        assert answer.status_code == 200 and answer.json()["token_type"] == "DPoP", answer.text
        assert "cnf" in decode(answer.json()["access_token"])[1]


def test_a_client_gets_only_the_methods_it_may(platform):
    """L5."""
    client = platform.hpki_only
    answer = client.push(client.parameters(acr_values="jpki-card"))
    if answer.status_code == 201:
        page = Visitor(platform).open(client.address({"client_id": client.name, **answer.json()}))
        assert "error" in page.query
    else:
        assert answer.status_code == 400 and error_of(answer)


def test_one_sees_and_ends_one_s_own_logins(platform, client, tokens, visitor):
    """L6, O1: the page of sessions."""
    page = visitor.open(f"{platform.url}/sessions")
    assert page.status == 200 and "doctor-1" in page.text and "e2e-strict" in page.text
    page = visitor.submit(page, lambda name, value: (name, value) == ("session", tokens.claims["sid"]))
    assert page.status == 200
    deadline = time.monotonic() + LONG_ENOUGH
    while sign(tokens).status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    silent = visitor.open(client.authorization(prompt="none"), until=client.is_redirect)
    assert error_of(silent) == "login_required"

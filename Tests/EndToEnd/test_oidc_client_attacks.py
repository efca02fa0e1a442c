"""Attacks on the token endpoint: codes and refresh tokens replayed, clients impersonated, tokens taken elsewhere."""

import json
import time

import pytest
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

import cards
import documents
import tokens
from instance import problem
from strict_client import ASSERTION, error_of
from visitor import Visitor

LONG_ENOUGH = 15


@pytest.fixture
def client(platform):
    return platform.strict


@pytest.fixture
def visitor(platform):
    return Visitor(platform, cards.development(platform, "doctor-1", "hpki"))


@pytest.fixture
def code(client, visitor):
    return client.code(visitor.login(client.authorization(acr_values="hpki-card"), until=client.is_redirect))


def sign(platform, client, token):
    headers = {"Authorization": f"DPoP {token}"}
    for _ in range(2):
        headers["DPoP"] = client.dpop.proof("POST", platform.url + "/v1/prescriptions", token)
        answer = platform.post("/v1/prescriptions", documents.prescribing(), headers=headers)
        if not client.dpop.learn(answer):
            break
    return answer


def ends(platform, client, token):
    """Waits until the signing service does not take the token any more."""
    deadline = time.monotonic() + LONG_ENOUGH
    while sign(platform, client, token).status_code != 401:
        assert time.monotonic() < deadline, "the token still signs"
        time.sleep(0.2)


def refused(answer, *errors):
    assert answer.status_code in (400, 401) and error_of(answer) in errors, answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    assert "access_token" not in answer.text


class TestCodes:
    def test_a_replayed_code_ends_what_was_made_from_it(self, platform, client, code):
        """L9: whoever stole the code, and whoever had it stolen, get nothing (RFC 6749 §4.1.2)."""
        first = client.redeem_by_hand(code)
        assert first.status_code == 200, first.text
        token = first.json()
        documents.document_of(sign(platform, client, token["access_token"]))
        refused(client.redeem_by_hand(code), "invalid_grant")
        refused(client.refresh_by_hand(token["refresh_token"]), "invalid_grant")
        ends(platform, client, token["access_token"])

    def test_a_code_of_another_client(self, platform, client, code):
        other = platform.other
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect}
        refused(other.post("token", {**form, "code_verifier": client.verifier, **other.credentials()}), "invalid_grant")

    @pytest.mark.parametrize(
        "changed",
        [
            {"code_verifier": "x" * 64},
            {"code_verifier": "short"},
            {"code_verifier": ""},
            {"code_verifier": None},
            {"redirect_uri": "https://rp.example/other"},
            {"code": "A" * 43},
        ],
        ids=str,
    )
    def test_a_code_without_what_belongs_to_it(self, client, code, changed):
        """PKCE: the verifier of somebody else, a bad one, none."""
        refused(client.redeem_by_hand(code, **changed), "invalid_grant", "invalid_request")

    def test_a_code_without_a_proof(self, client, code):
        """The strict profile knows no bearer tokens."""
        refused(client.redeem_by_hand(code, proof=False), "invalid_dpop_proof", "invalid_request", "invalid_grant")

    @pytest.mark.parametrize("name", ["code", "grant_type", "code_verifier", "redirect_uri", "client_assertion"])
    def test_a_doubled_parameter(self, client, code, name):
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect}
        form |= {"code_verifier": client.verifier, **client.credentials()}
        client.refresh_by_hand("none")  # So that the nonce is known.
        proof = client.dpop.proof("POST", client.endpoint("token"))
        answer = client.post("token", [*form.items(), (name, form[name])], proof)
        refused(answer, "invalid_request", "invalid_client")

    @pytest.mark.parametrize("grant", ["password", "client_credentials", "implicit", ""])
    def test_another_grant(self, client, grant):
        form = {"grant_type": grant, "username": "doctor-1", "password": "x", **client.credentials()}
        answer = client.post("token", form)
        refused(answer, "unsupported_grant_type", "invalid_request", "unauthorized_client")


class TestRefreshTokens:
    def test_a_replayed_one_ends_its_family(self, platform, client, code):
        """L9: of two who use one token, neither goes on (RFC 9700 §4.14)."""
        first = client.redeem_by_hand(code).json()
        second = client.refresh_by_hand(first["refresh_token"]).json()
        documents.document_of(sign(platform, client, second["access_token"]))
        refused(client.refresh_by_hand(first["refresh_token"]), "invalid_grant")
        refused(client.refresh_by_hand(second["refresh_token"]), "invalid_grant")
        ends(platform, client, second["access_token"])

    def test_a_scope_is_never_more_than_was_granted(self, client, visitor):
        page = visitor.login(client.authorization(scope="openid", acr_values="hpki-card"), until=client.is_redirect)
        first = client.redeem_by_hand(client.code(page)).json()
        answer = client.refresh_by_hand(first["refresh_token"], scope="openid sign")
        refused(answer, "invalid_scope", "invalid_grant")


class TestAssertions:
    """RFC 7523: who a client is."""

    def ask(self, client, assertion, **form):
        form = {"client_id": client.name, "client_assertion_type": ASSERTION, "client_assertion": assertion, **form}
        return client.post("pushed_authorize", {**client.parameters(), **form}, proof=False)

    def test_a_good_one_serves_once(self, client):
        assertion = client.assertion()
        assert self.ask(client, assertion).status_code == 201
        refused(self.ask(client, assertion), "invalid_client")

    @pytest.mark.parametrize(
        "made",
        [
            lambda client: client.assertion("https://elsewhere.example/token"),
            lambda client: client.assertion(key=ECKey.generate_key("P-256")),
            lambda client: client.assertion(key=client.instance.other.key),
            lambda client: client.assertion(exp=int(time.time()) - 120),
            lambda client: client.assertion(exp=int(time.time()) + 10**6),
            lambda client: client.assertion(sub="e2e-other"),
            lambda client: client.assertion(iss="e2e-other"),
            lambda client: client.assertion(iss="e2e-other", sub="e2e-other"),
            lambda client: client.assertion(header={"kid": "unknown"}),
            lambda client: by_public_key(client),
            lambda client: "eyJhbGciOiJub25lIn0." + client.assertion().split(".")[1] + ".",
            lambda client: "e30.e30.e30",
            lambda client: "",
        ],
    )
    def test_refused(self, client, made):
        refused(self.ask(client, made(client)), "invalid_client", "invalid_request")

    def test_of_another_type_and_none_at_all(self, client):
        answer = self.ask(client, client.assertion(), client_assertion_type="urn:x")
        refused(answer, "invalid_client", "invalid_request")
        refused(client.post("pushed_authorize", client.parameters(), proof=False), "invalid_client")
        form = {**client.parameters(), "client_secret": "secret"}
        refused(client.post("pushed_authorize", form, proof=False), "invalid_client", "invalid_request")


def by_public_key(client):
    """An assertion whose HMAC secret is the client's public key."""
    now = int(time.time())
    claims = {"iss": client.name, "sub": client.name, "aud": client.issuer, "iat": now, "exp": now + 60, "jti": "x"}
    return tokens.encode({"alg": "HS256", "kid": client.key.kid}, claims, client.key.as_pem(private=False))


class TestTokensElsewhere:
    def test_a_token_for_another_audience(self, platform, client, visitor):
        """L8, L9: the signing service takes its own alone (RFC 8707)."""
        found = client.login(visitor, acr_values="hpki-card", resource="https://other.example")
        assert found.claims["aud"] in ("https://other.example", ["https://other.example"])
        uses = len(platform.signs())
        body = problem(sign(platform, client, found.access), "invalid-token")
        assert "audience" in json.dumps(body)
        assert len(platform.signs()) == uses

    def test_a_token_that_may_not_sign(self, platform, client, visitor):
        """L8: a login is no leave to sign."""
        found = client.login(visitor, acr_values="hpki-card", scope="openid profile")
        uses = len(platform.signs())
        assert sign(platform, client, found.access).status_code in (401, 403)
        assert len(platform.signs()) == uses

    def test_an_id_token_is_no_access_token(self, platform, client, visitor):
        found = client.login(visitor, acr_values="hpki-card")
        for scheme in ("Bearer", "DPoP"):
            answer = platform.post(
                "/v1/prescriptions", documents.prescribing(), headers={"Authorization": f"{scheme} {found.id_token}"}
            )
            assert answer.status_code == 401

    def test_a_logout_token_of_our_own_making(self, platform, client, visitor):
        """O1: the signing service ends nothing for a stranger."""
        found = client.login(visitor, acr_values="hpki-card")
        now, key = int(time.time()), ECKey.generate_key("P-256")
        claims = {
            **{"iss": platform.url, "aud": platform.audience, "iat": now, "exp": now + 120, "jti": "own"},
            **{"sub": "doctor-1", "sid": found.claims["sid"]},
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
        kid = platform.get("/oauth2/jwks").json()["keys"][0]["kid"]
        token = jwt.encode({"alg": "ES256", "typ": "logout+jwt", "kid": kid}, claims, key)
        for form in ({"logout_token": token}, {"logout_token": found.id_token}, {"logout_token": found.access}, {}):
            answer = platform.session().post(f"{platform.url}/v1/backchannel-logout", data=form, timeout=30)
            assert answer.status_code == 400, answer.text
        time.sleep(1)
        documents.document_of(sign(platform, client, found.access))


def test_an_id_token_of_another_request_is_known_by_its_nonce(platform, client, visitor):
    """Nonce reuse: each ID token carries the nonce of its own request, letter by letter, and none where none came."""
    first = client.login(visitor, acr_values="hpki-card")
    second = client.login(visitor, acr_values="hpki-card")
    keys = KeySet.import_key_set(platform.get("/oauth2/jwks").json())
    read = jwt.decode(first.id_token, keys, algorithms=["ES256"])
    replayed = CodeIDToken(read.claims, read.header, {}, {"nonce": second.identity["nonce"], "client_id": client.name})
    with pytest.raises(JoseError):
        replayed.validate()
    page = visitor.open(client.authorization(nonce=None), until=client.is_redirect)
    answer = client.redeem_by_hand(client.code(page))
    assert "nonce" not in jwt.decode(answer.json()["id_token"], keys, algorithms=["ES256"]).claims

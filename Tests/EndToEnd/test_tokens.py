"""Access tokens: each fault is refused for its own reason, and nothing is signed."""

import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import contract
import documents
import tokens
from instance import problem

WINDOW = 18 * 3600
SKEW = 60


@pytest.fixture(scope="module")
def issuer(shared):
    return tokens.Issuer.of(shared)


def ask(instance, token):
    return instance.prescribe(documents.prescribing(), token=token)


def reason(answer):
    body = answer.json()
    return (str(body.get("reason", "")) + " " + body["detail"] + " " + answer.headers["WWW-Authenticate"]).lower()


def test_our_own_good_token_is_good(instance, issuer):
    documents.document_of(ask(instance, issuer.token("doctor-1")))


@pytest.mark.usefixtures("nothing_signed")
class TestRefused:
    def refuse(self, instance, token, kind, word):
        answer = ask(instance, token)
        problem(answer, kind)
        assert word in reason(answer), answer.text + str(answer.headers)
        return answer

    def test_none_at_all(self, instance):
        answer = instance.post("/v1/prescriptions", documents.prescribing())
        problem(answer, "missing-token")

    @pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic ZG9jdG9yLTE6eA==", "Bearer a b", "bearer.x.y"])
    def test_another_kind_of_credential(self, instance, header):
        answer = instance.post("/v1/prescriptions", documents.prescribing(), headers={"Authorization": header})
        assert contract.kind_of(answer.json()) in ("missing-token", "invalid-token", "malformed-request")
        assert answer.status_code in (400, 401)

    @pytest.mark.parametrize(
        "token",
        [
            "x",
            "..",
            "a.b",
            "a.b.c.d",
            "e30.e30.",
            "e30.e30.e30",
            "=.=.=",
            "A" * 100_000,
            "eyJhbGciOiJFUzI1NiJ9." * 2 + "x",
        ],
    )
    def test_not_a_token(self, instance, token):
        answer = ask(instance, token)
        assert contract.kind_of(answer.json()) in ("invalid-token", "too-many-headers")

    @pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE"])
    def test_algorithm_none(self, instance, issuer, name):
        token = issuer.token("doctor-1", header={"alg": "none"})
        head, claims, _ = token.split(".")
        forged = tokens.b64url(f'{{"alg":"{name}","kid":"{issuer.header["kid"]}"}}'.encode())
        for value in ("", token.split(".")[2]):
            self.refuse(instance, f"{forged}.{claims}.{value}", "invalid-token", "alg")

    def test_public_key_taken_for_an_hmac_secret(self, instance, issuer):
        token = issuer.token("doctor-1", header={"alg": "HS256"}, key=tokens.public_pem(issuer.key))
        self.refuse(instance, token, "invalid-token", "alg")

    def test_algorithm_of_another_key_type(self, instance, issuer):
        token = issuer.token("doctor-1", header={"alg": "RS256"}, key=rsa.generate_private_key(65537, 2048))
        answer = ask(instance, token)
        problem(answer, "invalid-token")

    def test_key_brought_along(self, instance, issuer):
        key = ec.generate_private_key(ec.SECP256R1())
        for header in (
            {"jwk": tokens.jwk(key, "own", "ES256")},
            {"jku": "http://127.0.0.1:9/"},
            {"x5c": ["AAAA"]},
            {"crit": ["exp"]},
        ):
            answer = ask(instance, issuer.token("doctor-1", header=header, key=key))
            problem(answer, "invalid-token")

    def test_signed_by_another_key(self, instance, issuer):
        token = issuer.token("doctor-1", key=ec.generate_private_key(ec.SECP256R1()))
        self.refuse(instance, token, "invalid-token", "signature")

    def test_signature_of_zeroes(self, instance, issuer):
        head, claims, _ = issuer.token("doctor-1").split(".")
        self.refuse(instance, f"{head}.{claims}.{tokens.b64url(bytes(64))}", "invalid-token", "signature")

    def test_claims_changed_after_signing(self, instance, issuer):
        head, _, value = issuer.token("nurse-1").split(".")
        claims = issuer.token("doctor-1").split(".")[1]
        self.refuse(instance, f"{head}.{claims}.{value}", "invalid-token", "signature")

    def test_wrong_audience(self, instance, issuer):
        for audience in ("https://elsewhere.example", [], ["a", "b"], ""):
            self.refuse(instance, issuer.token("doctor-1", aud=audience), "invalid-token", "audience")

    def test_wrong_issuer(self, instance, issuer):
        self.refuse(instance, issuer.token("doctor-1", iss="https://elsewhere.example"), "invalid-token", "issuer")

    def test_unknown_key(self, instance, issuer):
        self.refuse(instance, issuer.token("doctor-1", header={"kid": "no-such-key"}), "invalid-token", "key")

    def test_expired(self, instance, issuer):
        now = int(time.time())
        token = issuer.token("doctor-1", iat=now - 400, nbf=now - 400, exp=now - SKEW - 1, auth_time=now - 400)
        problem(ask(instance, token), "expired-token")

    def test_not_yet_valid(self, instance, issuer):
        self.refuse(instance, issuer.token("doctor-1", nbf=int(time.time()) + SKEW + 10), "invalid-token", "not")

    def test_window_elapsed(self, instance, issuer):
        answer = ask(instance, issuer.token("doctor-1", auth_time=int(time.time()) - WINDOW - SKEW - 1))
        problem(answer, "window-elapsed")

    def test_window_elapsed_though_the_token_is_fresh(self, instance):
        answer = ask(instance, instance.token("doctor-1", "--auth-age", WINDOW + SKEW + 1))
        problem(answer, "window-elapsed")

    def test_authenticated_in_the_future(self, instance, issuer):
        answer = ask(instance, issuer.token("doctor-1", auth_time=int(time.time()) + SKEW + 10))
        problem(answer, "invalid-token")

    @pytest.mark.parametrize("claim", ["sub", "exp", "auth_time", "acr", "aud", "iss"])
    def test_without_a_claim(self, instance, issuer, claim):
        answer = ask(instance, issuer.token("doctor-1", without=[claim]))
        body = problem(answer, "invalid-token")
        assert claim in str(body), body

    @pytest.mark.parametrize(
        "claims",
        [
            {"acr": "password"},
            {"acr": 1},
            {"auth_time": "yesterday"},
            {"auth_time": 1e300},
            {"auth_time": -1},
            {"exp": "x"},
            {"exp": 10**30},
            {"nbf": {}},
            {"sub": ""},
            {"sub": ["doctor-1"]},
            {"aud": {"a": 1}},
        ],
        ids=str,
    )
    def test_with_a_claim_of_nonsense(self, instance, issuer, claims):
        answer = ask(instance, issuer.token("doctor-1", **claims))
        assert answer.status_code in (401, 403) and answer.json()["type"], answer.text

    def test_of_nobody_registered(self, instance, issuer):
        problem(ask(instance, issuer.token("stranger-9")), "unknown-holder")

    @pytest.mark.parametrize(
        "claims", ['{"sub":"nurse-1","sub":"doctor-1"}', "[]", "7", '{"a":' * 2000 + "1" + "}" * 2000]
    )
    def test_of_claims_that_are_no_plain_object(self, instance, issuer, claims):
        head = issuer.token("doctor-1").split(".")[0]
        signed = f"{head}.{tokens.b64url(claims.encode())}"
        value = tokens.b64url(tokens.signature(issuer.header["alg"], issuer.key, signed.encode()))
        problem(ask(instance, f"{signed}.{value}"), "invalid-token")


class TestEdges:
    """The last second that still counts; one second is left for the request to arrive."""

    def test_window_and_skew_to_the_second(self, instance, issuer):
        documents.document_of(ask(instance, issuer.token("doctor-1", auth_time=int(time.time()) - WINDOW - SKEW + 1)))

    def test_expired_within_the_skew(self, instance, issuer):
        now = int(time.time())
        token = issuer.token("doctor-1", iat=now - 400, nbf=now - 400, auth_time=now - 400, exp=now - SKEW + 2)
        documents.document_of(ask(instance, token))

    def test_not_yet_valid_within_the_skew(self, instance, issuer):
        documents.document_of(ask(instance, issuer.token("doctor-1", nbf=int(time.time()) + SKEW - 2)))

    @pytest.mark.parametrize("method", ["hpki-card", "jpki-card", "passkey-device", "passkey-synced"])
    def test_every_way_of_proving_oneself_is_known(self, instance, issuer, method):
        answer = ask(instance, issuer.token("doctor-1", acr=method))
        assert answer.status_code == 200 or problem(answer, "denied")["rule"]


def test_refusals_of_the_unauthenticated_are_counted_and_not_recorded(instance):
    def counted():
        """The counters that speak of refused callers."""
        text = instance.session().get(f"http://127.0.0.1:{instance.metrics_port}/metrics", timeout=5).text
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
        words = ("refus", "invalid", "unauthenticated", "401", "token")
        return {name: float(value) for name, value in lines if any(word in name.lower() for word in words)}

    records, before = len(instance.records()), counted()
    for _ in range(5):
        ask(instance, "not.a.token")
    time.sleep(1)
    after = counted()
    assert len(instance.records()) == records
    assert any(after[name] >= before.get(name, 0) + 5 for name in after), after

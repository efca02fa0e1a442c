"""Leave to sign given documents (RFC 9396 with the CSC API's type `credential`), hints, and keys bound early."""

import base64
import hashlib
import json

import pytest

import cards
import documents
from strict_client import DPoP, error_of
from tokens import b64url
from visitor import Visitor

SHA256 = "2.16.840.1.101.3.4.2.1"
FIRST, SECOND, THIRD = (hashlib.sha256(name).digest() for name in (b"first", b"second", b"third"))


def b64(digest):
    return base64.b64encode(digest).decode()


def details(*digests, **changed):
    """`authorization_details` as the table of CSC API 2.0 has them, but for the changes; None leaves one out."""
    entry = {
        "type": "credential",
        "credentialID": "doctor-1-key",
        "documentDigests": [{"hash": b64(each)} for each in digests],
        "hashAlgorithmOID": SHA256,
        **changed,
    }
    return [{name: value for name, value in entry.items() if value is not None}]


@pytest.fixture
def client(platform):
    return platform.documents


@pytest.fixture
def visitor(platform):
    return Visitor(platform, cards.development(platform, "doctor-1", "hpki"))


def code(client, visitor, **changed):
    return client.code(visitor.login(client.authorization(acr_values="hpki-card", **changed), until=client.is_redirect))


def granted(client, visitor, *digests, **changed):
    return code(client, visitor, authorization_details=json.dumps(details(*digests)), **changed)


def test_the_metadata_say_which_types_there_are(client):
    assert "credential" in client.metadata["authorization_details_types_supported"]
    assert "credential" in client.metadata["scopes_supported"]


def test_a_token_has_the_details_that_were_granted(client, visitor):
    """In the answer (RFC 9396 §7), in the token (§9.1), at introspection (§9.2); without a way to have them again."""
    wanted = details(FIRST, SECOND)
    wanted[0]["documentDigests"][0]["label"] = "処方箋　若松　千尋"
    answer = client.redeem_by_hand(code(client, visitor, authorization_details=json.dumps(wanted))).json()
    assert answer["authorization_details"] == details(FIRST, SECOND), "and no patient's name"
    assert "refresh_token" not in answer
    known = client.introspect(answer["access_token"])
    assert known["active"] is True and known["authorization_details"] == details(FIRST, SECOND)
    claims = json.loads(base64.urlsafe_b64decode(answer["access_token"].split(".")[1] + "=="))
    assert claims["authorization_details"] == details(FIRST, SECOND)


def test_a_token_for_given_documents_signs_nothing_else(platform, client, visitor):
    tokens = client.redeem(granted(client, visitor, FIRST))
    assert "sign" in tokens.claims["scope"].split()
    before = len(platform.signs())
    answer = tokens.ask("POST", "/v1/prescriptions", documents.prescribing())
    assert answer.status_code == 401 and "authorization_details" in answer.json()["detail"], answer.text
    assert len(platform.signs()) == before, "a key was used"
    documents.document_of(client.login(visitor).ask("POST", "/v1/prescriptions", documents.prescribing()))


def test_a_token_request_may_ask_for_a_part(client, visitor):
    """RFC 9396 §6: less, never more; and what is refused does not use the code up."""
    given = granted(client, visitor, FIRST, SECOND)
    for more in (details(FIRST, THIRD), details(FIRST, credentialID="other"), [{"type": "payment"}], []):
        answer = client.redeem_by_hand(given, authorization_details=json.dumps(more))
        assert answer.status_code == 400 and error_of(answer) == "invalid_authorization_details", answer.text
    answer = client.redeem_by_hand(given, authorization_details=json.dumps(details(SECOND)))
    assert answer.status_code == 200 and answer.json()["authorization_details"] == details(SECOND), answer.text


def test_the_scope_credential_says_the_same_by_parameters(client, visitor):
    """CSC API 2.0 §8.4.2: digests in base64url with commas between them."""
    asked = {
        "scope": "credential",
        "credentialID": "doctor-1-key",
        "hashes": f"{b64url(FIRST)},{b64url(SECOND)}",
        "hashAlgorithmOID": SHA256,
    }
    answer = client.redeem_by_hand(code(client, visitor, **asked)).json()
    assert answer["authorization_details"] == details(FIRST, SECOND) and answer["scope"] == "credential"
    refused = client.push(client.parameters(**{**asked, "hashes": None}))
    assert refused.status_code == 400 and error_of(refused) == "invalid_request"


def test_a_request_object_has_details_too(client, visitor):
    signed = client.request_object(acr_values="hpki-card", authorization_details=details(FIRST))
    pushed = client.push({"client_id": client.name, "request": signed})
    assert pushed.status_code == 201, pushed.text
    address = client.address({"client_id": client.name, "request_uri": pushed.json()["request_uri"]})
    answer = client.redeem_by_hand(client.code(visitor.login(address, until=client.is_redirect))).json()
    assert answer["authorization_details"] == details(FIRST)


@pytest.mark.parametrize(
    "wrong",
    [
        "no JSON",
        "[]",
        json.dumps([{"type": "payment_initiation"}]),
        json.dumps(details()),
        json.dumps(details(FIRST, FIRST)),
        json.dumps(details(FIRST, hashAlgorithmOID="1.3.14.3.2.26")),
        json.dumps(details(FIRST, credentialID=None)),
        json.dumps(details(FIRST, actions=["sign"])),
        json.dumps(details(FIRST, numSignatures=2)),
        json.dumps(details(FIRST, locations=["https://elsewhere.example"])),
        json.dumps(details(*(hashlib.sha256(bytes([n])).digest() for n in range(180)))),
    ],
    ids=range(11),
)
def test_details_that_are_not_as_their_type_prescribes_are_refused(client, wrong):
    answer = client.push(client.parameters(authorization_details=wrong))
    assert answer.status_code == 400 and error_of(answer) == "invalid_authorization_details", answer.text


def test_a_client_that_is_registered_for_no_type_gets_none(platform):
    answer = platform.strict.push(platform.strict.parameters(authorization_details=json.dumps(details(FIRST))))
    assert answer.status_code == 400 and error_of(answer) == "invalid_authorization_details"


def test_a_proof_beside_a_pushed_request_binds_the_code(client, visitor):
    """RFC 9449 §10.1; and the next nonce comes with the tokens (§8.2)."""
    pushed = client.push(client.parameters(acr_values="hpki-card"), proof=True)
    assert pushed.status_code == 201, pushed.text
    address = client.address({"client_id": client.name, "request_uri": pushed.json()["request_uri"]})
    given = client.code(visitor.login(address, until=client.is_redirect))
    stranger = DPoP()
    stranger.nonces = client.dpop.nonces
    refused = client.redeem_by_hand(given, proof=stranger.proof("POST", client.endpoint("token")))
    assert refused.status_code == 400 and error_of(refused) == "invalid_dpop_proof", refused.text
    answer = client.redeem_by_hand(given)
    assert answer.status_code == 200 and answer.headers["DPoP-Nonce"], answer.text


def test_a_pushed_request_with_the_proof_of_another_key_than_it_names_is_refused(client):
    answer = client.push(client.parameters(dpop_jkt=DPoP().thumbprint), proof=True)
    assert answer.status_code == 400 and error_of(answer) == "invalid_request", answer.text
    wrong = client.dpop.proof("POST", client.endpoint("token"))
    answer = client.push(client.parameters(), proof=wrong)
    assert answer.status_code == 400 and error_of(answer) == "invalid_dpop_proof", answer.text


def test_an_id_token_hint_of_somebody_else_leads_to_a_login(platform, client, visitor):
    """As a login_hint does; a silent request is told that a login is needed."""
    own = client.login(visitor)
    other = client.login(Visitor(platform, cards.development(platform, "dentist-1", "hpki")))
    same = visitor.open(client.authorization(prompt="none", id_token_hint=own.id_token), until=client.is_redirect)
    assert "code" in same.query, same.url
    differs = visitor.open(client.authorization(prompt="none", id_token_hint=other.id_token), until=client.is_redirect)
    assert error_of(differs) == "login_required"
    page = visitor.open(client.authorization(id_token_hint=other.id_token), until=client.is_redirect)
    assert page.answer is not None and "dentist-1" in page.text
    for wrong in (own.access, "a.b.c"):
        refused = client.push(client.parameters(id_token_hint=wrong))
        assert refused.status_code == 400 and error_of(refused) == "invalid_request", refused.text

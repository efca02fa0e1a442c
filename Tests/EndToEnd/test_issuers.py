"""Issuers' key sets over HTTP: rotation, outage, bounds; an issuer is confined to its own holders."""

import time

import pytest

import contract
import documents
import tokens
from instance import problem

URL = "https://issuer.example/second"
KEEP = 6


@pytest.fixture(scope="module", params=["ES256", "RS256"])
def second(request, tmp_path_factory, shim):
    """An instance with a second issuer, for doctor-1 alone, whose key set we serve."""
    from instance import Instance

    instance = Instance(tmp_path_factory.mktemp("issuers") / "home", shim=shim)
    own = tokens.Issuer.of(instance)
    issuer = tokens.Issuer.stranger(own, URL, request.param)
    server = tokens.KeySetServer(issuer.key_set())

    def add(settings):
        settings["issuers"].append(
            {
                "issuer": URL,
                "audience": settings["issuers"][0]["audience"],
                "jwks": server.url,
                "algorithms": [request.param],
                "holders": ["doctor-1"],
                "refreshSeconds": 1,
                "keepSeconds": KEEP,
            }
        )

    instance.configure(add)
    instance.start()
    yield instance, issuer, server, own
    instance.kill()
    server.close()


def ask(instance, token):
    return instance.prescribe(documents.prescribing(), token=token)


def settled(instance, make_token, status, seconds=10):
    """Asks until the answer has that status: what an issuer changed takes its time to be seen.

    Each time with a fresh token, as one that was found good may be remembered for a while.
    """
    deadline = time.monotonic() + seconds
    while (answer := ask(instance, make_token())).status_code != status and time.monotonic() < deadline:
        time.sleep(0.3)
    assert answer.status_code == status, answer.text
    return answer


def test_a_second_issuer_speaks_for_its_holder(second):
    instance, issuer, _, _ = second
    documents.document_of(ask(instance, issuer.token("doctor-1")))


def test_an_issuer_cannot_speak_for_anothers_holder(second):
    instance, issuer, _, _ = second
    uses = len(instance.signs())
    for holder in ("dentist-1", "director-1", "pharmacist-1"):
        problem(ask(instance, issuer.token(holder)), "unknown-holder")
    assert len(instance.signs()) == uses


def test_an_issuer_cannot_sign_in_anothers_name(second):
    instance, issuer, _, own = second
    problem(ask(instance, issuer.token("doctor-1", iss=own.url)), "invalid-token")
    problem(ask(instance, own.token("doctor-1", iss=URL)), "invalid-token")


def test_rotation_is_picked_up_without_a_restart(second):
    instance, issuer, server, _ = second
    old_key, old_header = issuer.key, issuer.header
    fresh = tokens.Issuer.stranger(issuer, URL, issuer.header["alg"], kid=f"own-{time.monotonic_ns()}")
    issuer.key, issuer.header = fresh.key, fresh.header
    server.document = issuer.key_set()
    settled(instance, lambda: issuer.token("doctor-1"), 200)
    settled(instance, lambda: issuer.token("doctor-1", header=old_header, key=old_key), 401)


def test_tokens_of_unknown_keys_do_not_become_requests_to_the_issuer(second):
    instance, issuer, server, _ = second
    before = server.requests
    for number in range(40):
        problem(ask(instance, issuer.token("doctor-1", header={"kid": f"none-{number}"})), "invalid-token")
    assert server.requests - before < 20


FAULTS = ["status", "stall", "not-json", "flood", "empty", "deep"]


@pytest.mark.parametrize("second", contract.long(["ES256"], ["ES256", "RS256"]), indirect=True)
@pytest.mark.parametrize("fault", contract.long(FAULTS[:2], FAULTS))
def test_an_outage_keeps_known_keys_for_a_bounded_time(second, fault):
    instance, issuer, server, own = second
    good = issuer.key_set()
    settled(instance, lambda: issuer.token("doctor-1"), 200)
    try:
        if fault == "status":
            server.status = 500
        elif fault == "stall":
            server.delay = 30
        else:
            server.document = {"not-json": b"<html>", "flood": b" " * 20_000_000, "empty": b"", "deep": b"[" * 100_000}[
                fault
            ]
        time.sleep(2.5)
        documents.document_of(ask(instance, issuer.token("doctor-1")))
        problem(settled(instance, lambda: issuer.token("doctor-1"), 503, seconds=KEEP + 10), "issuer-unavailable")
        documents.document_of(ask(instance, own.token("doctor-1")))
    finally:
        server.status, server.delay, server.document = 200, 0, good
    settled(instance, lambda: issuer.token("doctor-1"), 200, seconds=40)

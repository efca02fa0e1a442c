"""GET /v1/signatures/{id}: what was recorded, to its own holder only."""

import pytest

import documents
from instance import problem


@pytest.fixture(scope="module")
def signature(shared):
    return shared.prescribe(documents.prescribing()).json()


def test_its_holder_sees_what_was_recorded(instance, signature):
    answer = instance.get(f"/v1/signatures/{signature['signatureId']}", instance.token("doctor-1"))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["signatureId"] == signature["signatureId"] and body["signedAt"] == signature["signedAt"]
    assert "document" not in body and "若松" not in answer.text


@pytest.mark.parametrize("holder", ["dentist-1", "pharmacist-1", "director-1"])
def test_nobody_else_learns_that_it_exists(instance, signature, holder):
    token = instance.token(holder)
    theirs = problem(instance.get(f"/v1/signatures/{signature['signatureId']}", token), "not-found")
    nobodys = problem(instance.get(f"/v1/signatures/{'0' * 32}", token), "not-found")
    assert {**theirs, "requestId": ""} == {**nobodys, "requestId": ""}


def test_nothing_without_a_token(instance, signature):
    problem(instance.get(f"/v1/signatures/{signature['signatureId']}"), "missing-token")


@pytest.mark.parametrize("name", ["x", "0" * 31, "G" * 32, "0" * 33, "%00", "a%2Fb", "'--"])
def test_a_name_that_is_none(instance, name):
    problem(instance.get(f"/v1/signatures/{name}", instance.token("doctor-1")), "not-found")

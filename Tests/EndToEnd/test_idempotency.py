"""Idempotency-Key: the same request gives the same bytes and one use of the key; anything else is refused."""

import threading
import time
import uuid

import pytest

import documents
from instance import problem


def new_key():
    return str(uuid.uuid4())


def test_repeated_request_gives_the_same_bytes_and_one_use(instance):
    body, key, uses = documents.prescribing(), new_key(), len(instance.signs())
    first = instance.prescribe(body, key=key)
    second = instance.prescribe(body, key=key)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert len(instance.signs()) == uses + 1


def test_dispensing_too(instance, prescription):
    body, key, uses = documents.dispensing(prescription), new_key(), len(instance.signs())
    answers = {instance.dispense(body, key=key).content for _ in range(3)}
    assert len(answers) == 1 and len(instance.signs()) == uses + 1


def test_survives_a_restart(fresh):
    fresh.start()
    body, key = documents.prescribing(), new_key()
    first = fresh.prescribe(body, key=key)
    assert fresh.stop() == 0
    fresh.start()
    assert fresh.prescribe(body, key=key).content == first.content
    assert len(fresh.signs()) == 1


def test_another_body_is_a_conflict(instance):
    key = new_key()
    documents.document_of(instance.prescribe(documents.prescribing(), key=key))
    uses = len(instance.signs())
    problem(instance.prescribe(documents.prescribing(), key=key), "idempotency-conflict")
    assert len(instance.signs()) == uses


def test_another_token_of_the_same_caller_is_the_same_caller(instance):
    body, key = documents.prescribing(), new_key()
    first = instance.prescribe(body, key=key, token=instance.token("doctor-1"))
    second = instance.prescribe(body, key=key, token=instance.token("doctor-1", "--auth-age", "60"))
    assert first.content == second.content


def test_another_caller_and_another_route_have_keys_of_their_own(instance, prescription):
    body, key, uses = documents.prescribing(), new_key(), len(instance.signs())
    one = documents.document_of(instance.prescribe(body, "doctor-1", key=key))
    two = documents.document_of(instance.prescribe(body, "dentist-1", key=key))
    documents.document_of(instance.dispense(documents.dispensing(prescription), key=key))
    assert one != two and len(instance.signs()) == uses + 3


def test_without_a_key_each_request_signs(instance):
    body, uses = documents.prescribing(), len(instance.signs())
    ids = {instance.prescribe(body).json()["signatureId"] for _ in range(3)}
    assert len(ids) == 3 and len(instance.signs()) == uses + 3


def test_a_refused_request_can_be_mended_under_its_key(instance):
    key = new_key()
    problem(instance.prescribe({"csv": documents.b64(b"SJ2\n")}, key=key), "invalid-csv")
    documents.document_of(instance.prescribe(documents.prescribing(), key=key))


def test_still_in_flight_is_a_conflict_of_its_own_type(instance):
    body, key, uses = documents.prescribing(), new_key(), len(instance.signs())
    latency = instance.shim / "sign-latency-ms"
    latency.write_text("1500")
    answers = []
    try:
        thread = threading.Thread(
            target=lambda: answers.append(instance.prescribe(body, key=key, session=instance.session()))
        )
        thread.start()
        time.sleep(0.5)
        problem(instance.prescribe(body, key=key, session=instance.session()), "idempotency-in-flight")
        thread.join(30)
    finally:
        latency.unlink()
    assert answers[0].status_code == 200 and len(instance.signs()) == uses + 1
    assert instance.prescribe(body, key=key).content == answers[0].content


def test_many_at_once_use_the_key_once(instance):
    body, key, uses = documents.prescribing(), new_key(), len(instance.signs())
    answers = []

    def ask():
        answers.append(instance.prescribe(body, key=key, session=instance.session()))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    good = {answer.content for answer in answers if answer.status_code == 200}
    assert len(good) == 1 and len(instance.signs()) == uses + 1
    for answer in answers:
        if answer.status_code != 200:
            problem(answer, "idempotency-in-flight")


@pytest.mark.usefixtures("nothing_signed")
@pytest.mark.parametrize("key", ["x" * 300, "a b\tc", "\xe9"], ids=range(3))
def test_a_key_that_is_none(instance, key):
    problem(instance.prescribe(documents.prescribing(), key=key), "invalid-idempotency-key")


@pytest.mark.usefixtures("nothing_signed")
def test_a_key_that_is_no_header_value(instance):
    """RFC 9110 §5.5 allows no control character in a field, so there is no request to read a key from."""
    problem(instance.prescribe(documents.prescribing(), key="\x7f"), "malformed-request")


def test_the_document_is_not_kept(instance):
    patient = f"控え{uuid.uuid4().hex}"
    documents.document_of(instance.prescribe(documents.prescribing(documents.prescription_csv(patient)), key=new_key()))
    for path in (instance.home / "data").rglob("*"):
        if path.is_file():
            assert patient.encode() not in path.read_bytes(), path

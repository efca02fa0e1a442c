"""The token hangs, fails, lies or goes away: no wrong answer, and signing comes back."""

import threading
import time
import uuid

import pytest
import requests

import audit
import contract
import documents
import judges
from instance import problem


@pytest.fixture
def served(fresh):
    fresh.configure(lambda settings: settings["hsm"].update(timeoutSeconds=2))
    return fresh.start()


def recovered(instance, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            answer = instance.prescribe(documents.prescribing(), session=instance.session(), timeout=10)
            if answer.status_code == 200:
                return documents.document_of(answer)
        except requests.RequestException:
            pass
        time.sleep(0.2)
    raise AssertionError(f"signing did not come back:\n{instance.log_end()}")


def finish(instance):
    judges.both(recovered(instance), "prescription", instance.home)
    assert instance.stop() == 0
    instance.start()
    assert instance.stop() == 0
    return audit.examine(instance.home, [], instance.signs())


def test_a_hung_sign_costs_one_restart_of_core_and_no_wrong_answer(served):
    documents.document_of(served.prescribe(documents.prescribing()))
    core, front = served.pid("core"), served.pid("front")
    hang = served.shim / "sign-hang"
    hang.touch()
    body, key = documents.prescribing(), str(uuid.uuid4())
    started = time.monotonic()
    answer = served.prescribe(body, key=key, session=served.session(), timeout=30)
    assert answer.status_code == 503, answer.text
    assert contract.kind_of(answer.json()) in ("key-unavailable", "core-unavailable", "timed-out")
    assert time.monotonic() - started < 15
    hang.unlink()
    recovered(served)
    again = served.pid("core")
    assert again != core and served.pid("front") == front, "core alone was restarted"
    problem(served.prescribe(body, key=key), "idempotency-in-doubt")
    time.sleep(3)
    assert served.pid("core") == again, "one hang costs one restart"
    log = finish(served)
    assert sum(each.is_outcome and each.code == audit.UNKNOWN for each in log) == 1


def test_health_and_refusals_are_answered_while_a_sign_hangs(served, prescription):
    hang = served.shim / "sign-hang"
    hang.touch()
    waiting = threading.Thread(
        target=lambda: served.prescribe(documents.prescribing(), session=served.session(), timeout=30)
    )
    waiting.start()
    time.sleep(0.5)
    session = served.session()
    started = time.monotonic()
    assert served.get("/health/live", session=session).status_code == 200
    problem(served.post("/v1/prescriptions", documents.prescribing(), session=session), "missing-token")
    assert time.monotonic() - started < 1.5
    hang.unlink()
    waiting.join(30)
    finish(served)


def test_a_failed_sign_is_no_signature_and_is_recorded(served):
    (served.shim / "sign-fail").touch()
    body, key = documents.prescribing(), str(uuid.uuid4())
    problem(served.prescribe(body, key=key), "key-unavailable")
    (served.shim / "sign-fail").unlink()
    # The module said no after it had signed: whether a signature exists is not known, so none is made silently.
    again = served.prescribe(body, key=key, session=served.session())
    assert again.status_code in (200, 409), again.text
    if again.status_code == 409:
        problem(again, "idempotency-in-doubt")
    log = finish(served)
    assert any(each.is_outcome and each.code in (audit.FAILED, audit.UNKNOWN) for each in log)


def test_a_module_that_fails_every_sign_is_not_ready(served):
    """It answers everything but C_Sign: readiness turns red, and green again once the module signs."""
    session = served.session()

    def await_status(status, seconds):
        deadline = time.monotonic() + seconds
        while served.get("/health/ready", session=session).status_code != status:
            assert time.monotonic() < deadline, f"not {status} within {seconds} s"
            time.sleep(0.1)

    (served.shim / "sign-fail").touch()
    for _ in range(4):
        problem(served.prescribe(documents.prescribing(), session=session), "key-unavailable")
    await_status(503, 3)
    (served.shim / "sign-fail").unlink()
    documents.document_of(served.prescribe(documents.prescribing(), session=session))
    await_status(200, 3)
    finish(served)


def test_a_wrong_signature_never_leaves(served):
    (served.shim / "sign-wrong").touch()
    for _ in range(3):
        answer = served.prescribe(documents.prescribing(), session=served.session())
        assert answer.status_code in (500, 503), answer.text
        assert answer.headers["Content-Type"].startswith("application/problem+json")
    (served.shim / "sign-wrong").unlink()
    log = finish(served)
    assert sum(each.is_outcome and each.code != audit.SIGNED for each in log) >= 3


@pytest.mark.parametrize("fault", ["session-lost", "login-lost", "token-gone"])
def test_a_lost_session_or_token_comes_back(served, fault):
    documents.document_of(served.prescribe(documents.prescribing()))
    (served.shim / fault).touch()
    answer = served.prescribe(documents.prescribing(), session=served.session(), timeout=30)
    if fault != "login-lost":
        assert answer.status_code == 503, answer.text
        deadline = time.monotonic() + 15
        while served.get("/health/ready", session=served.session()).status_code != 503:
            assert time.monotonic() < deadline, "still ready without a token"
            time.sleep(0.2)
        (served.shim / fault).unlink()
    finish(served)

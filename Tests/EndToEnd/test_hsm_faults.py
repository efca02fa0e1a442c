"""The token hangs, fails, lies or goes away: no wrong answer, and signing comes back."""

import os
import shutil
import signal
import subprocess
import threading
import time
import uuid

import pytest
import requests

import audit
import contract
import documents
import judges
import tokens_of_modules as modules
from instance import Instance, problem


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


def await_readiness(instance, status, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if instance.get("/health/ready", session=instance.session(), timeout=5).status_code == status:
                return
        except requests.RequestException:
            pass
        assert time.monotonic() < deadline, f"not {status} within {seconds} s:\n{instance.log_end()}"
        time.sleep(0.2)


def test_a_failing_unwrap_signs_nothing_and_comes_back(fresh):
    """With no cache every use unwraps; one that fails is refused, and never counts as a use of the key."""
    fresh.configure(lambda settings: settings["keys"].update(cache={"size": 0, "lifetime": "5m"}))
    fresh.start()
    documents.document_of(fresh.prescribe(documents.prescribing()))
    uses = len(fresh.signs())
    (fresh.shim / "unwrap-fail").touch()
    session = fresh.session()
    body, key = documents.prescribing(), str(uuid.uuid4())
    for _ in range(4):
        problem(fresh.prescribe(documents.prescribing(), session=session), "key-unavailable")
    problem(fresh.prescribe(body, key=key, session=session), "key-unavailable")
    await_readiness(fresh, 503, 5)
    assert len(fresh.signs()) == uses, "a key was used that was not unwrapped"
    (fresh.shim / "unwrap-fail").unlink()
    recovered(fresh)
    await_readiness(fresh, 200, 10)
    # The key was certainly not used, so the same request may be tried again.
    documents.document_of(fresh.prescribe(body, key=key, session=session))
    finish(fresh)


@pytest.mark.parametrize("content", [None, b""], ids=["missing", "no library"])
def test_a_module_that_does_not_load_at_the_start_is_waited_for(fresh, content):
    """Red and 503 without the module's file, such as on a mount that is not there yet; green with no hand."""
    module = fresh.settings()["hsm"]["module"]
    elsewhere = fresh.home.parent / "module.so"
    if content is not None:
        elsewhere.write_bytes(content)
    fresh.configure(lambda settings: settings["hsm"].update(module=str(elsewhere)))
    fresh.start(ready=False)
    await_readiness(fresh, 503)
    answer = fresh.prescribe(documents.prescribing(), session=fresh.session())
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 0, answer.text
    assert contract.kind_of(answer.json()) in ("key-unavailable", "core-unavailable")
    shutil.copy2(module, elsewhere)
    await_readiness(fresh, 200)
    finish(fresh)


def test_a_token_that_is_gone_at_the_start_is_waited_for(fresh):
    (fresh.shim / "token-gone").touch()
    fresh.start(ready=False)
    await_readiness(fresh, 503)
    answer = fresh.prescribe(documents.prescribing(), session=fresh.session())
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 0, answer.text
    (fresh.shim / "token-gone").unlink()
    await_readiness(fresh, 200)
    finish(fresh)


def test_a_sign_that_hangs_for_long_costs_nothing_but_time(served):
    """Longer than the time a call may take, again and again: core is started anew and waits for the module."""
    documents.document_of(served.prescribe(documents.prescribing()))
    hang = served.shim / "sign-hang"
    hang.touch()
    deadline = time.monotonic() + contract.long(8, 60)
    while time.monotonic() < deadline:
        try:
            answer = served.prescribe(documents.prescribing(), session=served.session(), timeout=30)
        except requests.RequestException:
            continue
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) >= 0
        time.sleep(0.2)
    hang.unlink()
    finish(served)


class Server:
    """SoftHSM in a process of its own, behind `p11-kit server`."""

    def __init__(self, home, address):
        self.address, self.process = address, None
        self.environment = {**os.environ, "SOFTHSM2_CONF": str(home / "hsm" / "softhsm2.conf")}

    def start(self):
        self.address.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["p11-kit", "server", "-f", "--provider", contract.SOFTHSM, "-n", str(self.address),
             "pkcs11:token=shirushi"],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 10
        while not self.address.exists():
            assert self.process.poll() is None and time.monotonic() < deadline, "p11-kit server does not start"
            time.sleep(0.05)

    def kill(self):
        """Ends the server and those that it forked for its clients."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def test_a_modules_process_killed_under_load_comes_back(tmp_path):
    instance = Instance(tmp_path / "home", options=("--custody", "resident", "--key-type", "p-256"))
    server = Server(instance.home, tmp_path / "server.sock")

    def remote(settings):
        settings["hsm"].update(module=str(modules.CLIENT), timeoutSeconds=3)
        settings["hsm"]["environment"]["P11_KIT_SERVER_ADDRESS"] = f"unix:path={server.address}"

    instance.configure(remote)
    server.start()
    try:
        instance.start()
        over, signed, refused = threading.Event(), [], []

        def load():
            session = instance.session()
            while not over.is_set():
                try:
                    answer = instance.prescribe(documents.prescribing(), session=session, timeout=30)
                except requests.RequestException:
                    session = instance.session()
                    continue
                if answer.status_code == 200:
                    signed.append(documents.document_of(answer))
                else:
                    refused.append(answer)
                    time.sleep(0.05)

        workers = [threading.Thread(target=load) for _ in range(4)]
        for each in workers:
            each.start()
        try:
            for _ in range(2):
                count, deadline = len(signed), time.monotonic() + 30
                while len(signed) < count + 20:
                    assert time.monotonic() < deadline, f"signing did not come back:\n{instance.log_end()}"
                    time.sleep(0.1)
                server.kill()
                await_readiness(instance, 503, 15)
                server.start()
                await_readiness(instance, 200, 30)
            count, deadline = len(signed), time.monotonic() + 30
            while len(signed) < count + 20:
                assert time.monotonic() < deadline, f"signing did not come back:\n{instance.log_end()}"
                time.sleep(0.1)
        finally:
            over.set()
            for each in workers:
                each.join(60)
        assert refused and {answer.status_code for answer in refused} == {503}
        assert all("Retry-After" in answer.headers for answer in refused)
        for document in signed:
            judges.signxml_alone(document, "prescription", instance.home)
        judges.both(signed[-1], "prescription", instance.home)
        assert instance.stop() == 0
        assert instance.audit_verifies()
        outcomes = [each for each in instance.records() if each.is_outcome and each.code == audit.SIGNED]
        assert len(outcomes) >= len(signed)
    finally:
        instance.kill()
        server.kill()


def test_a_wrong_pin_is_tried_once_until_the_service_is_started_anew(fresh):
    pin = fresh.home / "secrets" / "hsm.pin"
    right = pin.read_text()
    pin.write_text("not-the-pin\n")
    fresh.start(ready=False)
    time.sleep(4)
    log = fresh.log.read_text()
    assert log.count("core started") == 1 and "the token refused the PIN, which is not tried again" in log, log
    assert fresh.get("/health/ready").status_code == 503
    problem(fresh.prescribe(documents.prescribing()), "core-unavailable")
    assert fresh.stop() == 0
    pin.write_text(right)
    fresh.start()
    assert fresh.prescribe(documents.prescribing()).status_code == 200

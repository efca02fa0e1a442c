"""kill -9 of core and of front at random moments under load, and at each named failpoint.

Afterwards an independent reading of the log shows: no signature was seen outside without an earlier durable intent, no
key was used without one, no bytes were signed twice, and every intent is closed.
"""

import os
import random
import signal
import threading
import time
import uuid

import pytest
import requests

import audit
import contract
import documents

KILLS = int(os.environ.get("SHIRUSHI_KILLS", contract.long(20, 300)))
SEED = int(os.environ.get("SHIRUSHI_SEED", time.time_ns() % 2**32))
# What a client may be told while processes die under it.
PASSING = {
    "core-unavailable",
    "audit-unavailable",
    "key-unavailable",
    "timed-out",
    "overloaded",
    "too-many-requests",
    "idempotency-in-doubt",
    "idempotency-in-flight",
}


class Client(threading.Thread):
    """Posts prescriptions without pause and keeps every signature it receives; asks again where an answer was lost."""

    def __init__(self, instance, stop):
        super().__init__(daemon=True)
        self.instance, self.stop = instance, stop
        self.signed, self.statuses, self.faults = [], {}, []
        self.doctor = instance.token("doctor-1")

    def run(self):
        while not self.stop.is_set():
            body, key = documents.prescribing(), str(uuid.uuid4())
            first = self.ask(body, key)
            if first is None or first.status_code != 200:
                again = self.ask(body, key)
                if again is not None and first is not None and first.status_code == again.status_code == 200:
                    assert again.content == first.content

    def ask(self, body, key):
        session = self.instance.session()
        try:
            answer = self.instance.prescribe(body, token=self.doctor, key=key, session=session, timeout=15)
        except requests.RequestException:
            self.count("no answer")
            time.sleep(0.05)
            return None
        finally:
            session.close()
        if answer.status_code == 200:
            self.count("signed")
            document = documents.document_of(answer)
            self.signed.append((answer.json()["signatureId"], contract.digest_to_sign(document, "PrescriptionSign")))
        else:
            kind = contract.kind_of(answer.json())
            self.count(kind)
            if kind not in PASSING:
                self.faults.append(answer.text)
            time.sleep(0.05)
        return answer

    def count(self, word):
        self.statuses[word] = self.statuses.get(word, 0) + 1


def settle(instance):
    """Ends the service, starts it once more and ends it, so that what was left open is closed; then the log rests."""
    instance.await_ready(60)
    assert instance.stop() == 0
    instance.start()
    assert instance.audit_verifies(), "`audit verify` while serving"
    assert instance.stop() == 0
    assert instance.audit_verifies(), "`audit verify` at rest"


def test_random_kills_under_load(fresh):
    print(f"seed {SEED}, {KILLS} kills")
    chance = random.Random(SEED)
    fresh.start()
    stop = threading.Event()
    clients = [Client(fresh, stop) for _ in range(3)]
    for client in clients:
        client.start()
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.01, 0.6))
            part = chance.choice(["core", "core", "front"])
            os.kill(fresh.pid(part), signal.SIGKILL)
            if chance.random() < 0.6:
                fresh.await_ready(30)
    finally:
        stop.set()
        for client in clients:
            client.join(60)
    settle(fresh)
    signed = [each for client in clients for each in client.signed]
    statuses = {}
    for client in clients:
        assert client.faults == []
        for word, number in client.statuses.items():
            statuses[word] = statuses.get(word, 0) + number
    print(f"answers: {statuses}")
    assert len(set(signed)) >= KILLS, f"too little load to mean anything: {statuses}"
    log = audit.examine(fresh.home, set(signed), fresh.signs())
    unknown = sum(each.is_outcome and each.code == audit.UNKNOWN for each in log)
    print(f"log: {len(log)} entries, {unknown} outcomes unknown, {len(fresh.signs())} uses of a key")


def test_the_supervisor_killed_takes_both_with_it(fresh):
    fresh.start()
    core, front = fresh.pid("core"), fresh.pid("front")
    documents.document_of(fresh.prescribe(documents.prescribing()))
    os.kill(fresh.process.pid, signal.SIGKILL)
    fresh.process.wait()
    fresh.process = None
    deadline = time.monotonic() + 5
    while any(os.path.exists(f"/proc/{pid}") for pid in (core, front)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{core}") and not os.path.exists(f"/proc/{front}")
    fresh.start()
    documents.document_of(fresh.prescribe(documents.prescribing()))
    settle(fresh)
    audit.examine(fresh.home, [], fresh.signs())


# What had happened when the process died: whether an intent was durable, and whether the key was used.
EXPECTED = {
    "core.token-checked": (False, False),
    "core.before-intent": (False, False),
    "core.after-intent": (True, False),
    "core.before-sign": (True, False),
    "core.after-sign": (True, True),
    "core.before-outcome": (True, True),
    "core.after-outcome": (True, True),
    "core.before-reply": (True, True),
    "front.accepted": (False, False),
    "front.assembled": (True, True),
    "front.before-answer": (True, True),
}


@pytest.fixture(scope="module")
def victim(tmp_path_factory, shim):
    from instance import Instance

    instance = Instance(tmp_path_factory.mktemp("failpoints") / "home", shim=shim)
    yield instance
    instance.kill()


@pytest.mark.parametrize("name", contract.FAILPOINTS)
def test_death_at_a_failpoint(victim, name):
    recorded, used = EXPECTED[name]
    body, key = documents.prescribing(), str(uuid.uuid4())
    intents = len([each for each in audit.entries(victim.home) if each.is_intent])
    uses = len(victim.signs())
    victim.start(SHIRUSHI_FAILPOINT=name)
    before = victim.pid(name.split(".")[0])
    try:
        answer = victim.prescribe(body, key=key, session=victim.session())
        assert answer.status_code == 503, f"an answer came past the failpoint: {answer.text}"
    except requests.RequestException:
        assert name.startswith("front."), "front lives, so it answers"
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{before}") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not os.path.exists(f"/proc/{before}"), "the failpoint was not passed"
    victim.kill()
    assert len(victim.signs()) - uses == used

    victim.start()
    again = victim.prescribe(body, key=key)
    if not recorded:
        documents.document_of(again)
    elif name in ("core.after-outcome", "core.before-reply", "front.assembled", "front.before-answer"):
        # The outcome is durable, so the answer is rebuilt and the key rests.
        documents.document_of(again)
    else:
        assert contract.kind_of(again.json()) == "idempotency-in-doubt", again.text
    assert len(victim.signs()) - uses == 1 or (not used and again.status_code == 409)
    settle(victim)
    log = audit.examine(victim.home, [], victim.signs())
    assert len([each for each in log if each.is_intent]) == intents + 1
